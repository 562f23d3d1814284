import { mdiAlertCircleOutline } from '@mdi/js';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';

import { ApiError } from '../api/http';
import { Icon } from './Icon';

function headline(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Something went wrong in this page';
  switch (error.kind) {
    case 'unreachable':
      return 'The server cannot be reached';
    case 'forbidden':
      return 'You are not allowed to see this';
    case 'not_found':
      return 'There is no such thing here';
    default:
      return 'The server could not answer';
  }
}

/** Says what failed, why, and how to go on. */
export function ErrorPanel({ error, retry }: { error: unknown; retry?: () => void }) {
  const message = error instanceof Error ? error.message : String(error);
  return (
    <Box role="alert" sx={{ display: 'flex', flexDirection: 'column', alignItems: 'center', gap: 1, py: 7, px: 3, textAlign: 'center' }}>
      <Icon path={mdiAlertCircleOutline} sx={{ fontSize: 34, color: 'error.main' }} />
      <Typography variant="h2">{headline(error)}</Typography>
      <Typography color="text.secondary" sx={{ maxWidth: 560, overflowWrap: 'anywhere' }}>
        {message}
      </Typography>
      {retry && (
        <Button variant="outlined" onClick={retry} sx={{ mt: 1 }}>
          Try again
        </Button>
      )}
    </Box>
  );
}
