import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';

import { Icon } from './Icon';

interface EmptyStateProps {
  icon: string;
  title: string;
  children?: ReactNode;
  calm?: boolean;
}

/** What stands where a list would: why it is empty and what that means. */
export function EmptyState({ icon, title, children, calm = false }: EmptyStateProps) {
  return (
    <Box sx={{ display: 'flex', flexDirection: 'column', alignItems: 'center', gap: 0.75, py: 8, px: 3, textAlign: 'center' }}>
      <Icon path={icon} sx={{ fontSize: 36, mb: 0.5, color: calm ? 'success.main' : 'text.secondary' }} />
      <Typography variant="h2">{title}</Typography>
      <Typography color="text.secondary" component="div" sx={{ maxWidth: 520 }}>
        {children}
      </Typography>
    </Box>
  );
}
