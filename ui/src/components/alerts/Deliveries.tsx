import Box from '@mui/material/Box';
import Stack from '@mui/material/Stack';
import Typography from '@mui/material/Typography';

import type { AlertDetail } from '../../api/alerts';
import { Time } from '../Time';
import { ToneChip } from '../ToneChip';

/** Each receiver that was owed word of the alert, and what became of each delivery. */
export function Deliveries({ alert }: { alert: AlertDetail }) {
  if (alert.obligations.length + alert.deliveries.length === 0) {
    return (
      <Typography variant="body2" color="text.secondary">
        Nobody has been told yet.
      </Typography>
    );
  }
  return (
    <Stack spacing={0.75}>
      {alert.obligations.map((one) => (
        <Box key={one.obligation_id} sx={{ display: 'flex', gap: 1, alignItems: 'baseline', flexWrap: 'wrap' }}>
          <ToneChip word={one.state} />
          <Typography variant="body2" sx={{ fontWeight: 560 }}>
            {one.receiver || 'no receiver'}
          </Typography>
          <Typography variant="caption" color="text.secondary">
            {one.reason}
          </Typography>
        </Box>
      ))}
      {alert.deliveries.map((one) => (
        <Box key={`${one.delivery_id}${one.sink}${one.attempt}`} sx={{ display: 'flex', gap: 1, alignItems: 'baseline', flexWrap: 'wrap' }}>
          <ToneChip word={one.state} />
          <Typography variant="body2" sx={{ fontWeight: 560 }}>
            {one.sink}
          </Typography>
          <Typography variant="caption" color="text.secondary">
            {one.attempt > 0 && `attempt ${one.attempt} · `}
            <Time at={one.finished_at ?? one.started_at} />
            {one.retry_at && (
              <>
                {' · again '}
                <Time at={one.retry_at} />
              </>
            )}
            {one.possibly_repeated && ' · possibly repeated'}
            {one.detail && ` · ${one.detail}`}
          </Typography>
        </Box>
      ))}
    </Stack>
  );
}
