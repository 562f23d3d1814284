import Box from '@mui/material/Box';
import Tooltip from '@mui/material/Tooltip';

import { useLive } from '../api/live';
import { useNow } from '../hooks/useNow';
import { formatRelative } from '../lib/formatRelative';
import type { Tone } from '../theme';
import { StatusDot } from './StatusDot';

/** Says whether what is shown renews itself, and since when it does not. */
export function LiveIndicator() {
  const { state, lastSeen } = useLive();
  const now = useNow(5_000);
  const since = lastSeen ? formatRelative(lastSeen, now) : 'never';
  const shown: { tone: Tone; text: string; hover: string } = {
    live: { tone: 'ok' as const, text: 'Live', hover: 'Changes arrive as they happen.' },
    connecting: { tone: 'unknown' as const, text: 'Connecting…', hover: 'Opening the event stream.' },
    lost: {
      tone: 'warning' as const,
      text: 'Reconnecting…',
      hover: `The event stream was lost (last seen ${since}). Data is still asked for every few seconds.`,
    },
  }[state];
  return (
    <Tooltip title={shown.hover} placement="right">
      <Box
        role="status"
        data-testid="live"
        data-state={state}
        sx={{ display: 'flex', alignItems: 'center', gap: 1.25, px: 1.5, py: 0.5, fontSize: '0.75rem', color: 'text.secondary', justifyContent: { xs: 'center', md: 'flex-start' } }}
      >
        <StatusDot tone={shown.tone} size={8} pulse={state !== 'live'} />
        <Box component="span" sx={{ display: { xs: 'none', md: 'inline' } }}>
          {shown.text}
        </Box>
      </Box>
    </Tooltip>
  );
}
