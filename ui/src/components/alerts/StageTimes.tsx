import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';

import type { AlertDetail } from '../../api/alerts';
import { formatDuration } from '../../lib/formatDuration';
import { stageTimes } from '../../lib/stageTimes';
import { Time } from '../Time';

/** How long each stage between the event and its delivery took. */
export function StageTimes({ alert }: { alert: AlertDetail }) {
  const stages = stageTimes(alert);
  if (stages.length === 0) {
    return (
      <Typography variant="body2" color="text.secondary">
        It has not fired yet.
      </Typography>
    );
  }
  return (
    <Box data-testid="stages" sx={{ display: 'grid', gridTemplateColumns: `repeat(${stages.length}, minmax(0, 1fr))`, mt: 0.5 }}>
      {stages.map((stage, index) => (
        <Box key={stage.name} sx={{ position: 'relative', pt: 1.75 }}>
          <Box aria-hidden sx={{ position: 'absolute', top: 4, left: 0, right: 0, height: 2, bgcolor: index < stages.length - 1 ? 'divider' : 'transparent' }} />
          <Box aria-hidden sx={{ position: 'absolute', top: 0, left: 0, width: 10, height: 10, borderRadius: '50%', bgcolor: 'primary.main' }} />
          <Typography variant="body2" sx={{ fontWeight: 560 }}>
            {stage.name}
          </Typography>
          <Typography variant="caption" color="text.secondary" component="div" noWrap>
            {stage.afterMs === null ? <Time at={stage.at} show="absolute" /> : `+${formatDuration(Math.max(0, stage.afterMs) / 1000)}`}
          </Typography>
        </Box>
      ))}
    </Box>
  );
}
