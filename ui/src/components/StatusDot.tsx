import Box from '@mui/material/Box';

import type { Tone } from '../theme';

/** A coloured dot; the word beside it says the same, so it is hidden from screen readers. */
export function StatusDot({ tone, size = 9, pulse = false }: { tone: Tone; size?: number; pulse?: boolean }) {
  return (
    <Box
      aria-hidden
      sx={({ palette }) => ({
        width: size,
        height: size,
        borderRadius: '50%',
        flexShrink: 0,
        bgcolor: palette.tone[tone].main,
        boxShadow: `0 0 0 3px ${palette.tone[tone].soft}`,
        '@keyframes qvmon-pulse': { '50%': { boxShadow: `0 0 0 6px ${palette.tone[tone].soft}` } },
        animation: pulse ? 'qvmon-pulse 2s ease-in-out infinite' : 'none',
      })}
    />
  );
}
