import Box from '@mui/material/Box';
import { MONO } from '../theme';

/** A key as it stands on the keyboard. */
export function Kbd({ children }: { children: string }) {
  return (
    <Box
      component="kbd"
      sx={{
        fontFamily: MONO,
        fontSize: '0.6875rem',
        lineHeight: '18px',
        minWidth: 20,
        px: 0.6,
        textAlign: 'center',
        borderRadius: '5px',
        border: 1,
        borderColor: 'divider',
        borderBottomWidth: 2,
        color: 'text.secondary',
        bgcolor: 'background.default',
        display: 'inline-block',
      }}
    >
      {children}
    </Box>
  );
}
