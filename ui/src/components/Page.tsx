import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';

import { useTitle } from '../hooks/useTitle';

interface PageProps {
  title: string;
  /** Beside the title: counts, chips. */
  aside?: ReactNode;
  /** At the right end of the head. */
  actions?: ReactNode;
  children: ReactNode;
}

/** The frame of every page: head with title and actions, then the content. */
export function Page({ title, aside, actions, children }: PageProps) {
  useTitle(title);
  return (
    <Box sx={{ px: { xs: 2, md: 3 }, pt: 2.25, pb: 5, maxWidth: 1680, mx: 'auto' }}>
      <Box component="header" sx={{ display: 'flex', alignItems: 'center', gap: 1.5, minHeight: 36, mb: 2, flexWrap: 'wrap' }}>
        <Typography variant="h1">{title}</Typography>
        {aside}
        <Box sx={{ ml: 'auto', display: 'flex', gap: 1, alignItems: 'center', flexWrap: 'wrap' }}>{actions}</Box>
      </Box>
      {children}
    </Box>
  );
}
