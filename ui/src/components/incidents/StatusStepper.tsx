import { mdiCheck } from '@mdi/js';
import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';

import type { Incident } from '../../api/incidents';
import { Icon } from '../Icon';
import { Time } from '../Time';

type Step = { name: string; at: string | null; tone: 'critical' | 'warning' | 'ok'; reached: boolean; current: boolean };

function stepsOf(incident: Incident): Step[] {
  const { status } = incident;
  return [
    { name: 'Open', at: incident.opened_at, tone: 'critical', reached: true, current: status === 'open' },
    { name: 'Acknowledged', at: incident.acknowledged_at, tone: 'warning', reached: incident.acknowledged_at !== null && status !== 'open', current: status === 'acknowledged' },
    { name: 'Resolved', at: incident.resolved_at, tone: 'ok', reached: status === 'resolved', current: status === 'resolved' },
  ];
}

/** Where the incident stands between open and resolved, with the times. */
export function StatusStepper({ incident }: { incident: Incident }) {
  const steps = stepsOf(incident);
  return (
    <Box component="ol" aria-label="Status" data-testid="stepper" data-status={incident.status} sx={{ display: 'flex', listStyle: 'none', m: 0, p: 0, alignItems: 'center', flexWrap: 'wrap', rowGap: 1 }}>
      {steps.map((step, index) => (
        <Box component="li" key={step.name} aria-current={step.current ? 'step' : undefined} sx={{ display: 'flex', alignItems: 'center' }}>
          {index > 0 && <Box aria-hidden sx={{ width: { xs: 20, md: 52 }, height: 2, mx: 1.5, borderRadius: 1, bgcolor: step.reached ? 'text.secondary' : 'divider' }} />}
          <Box
            aria-hidden
            sx={({ palette }) => ({
              width: 22,
              height: 22,
              borderRadius: '50%',
              display: 'grid',
              placeItems: 'center',
              mr: 1,
              border: 2,
              borderColor: step.current ? palette.tone[step.tone].main : step.reached ? palette.text.secondary : palette.divider,
              bgcolor: step.current ? palette.tone[step.tone].soft : 'transparent',
              color: step.current ? palette.tone[step.tone].main : palette.text.secondary,
            })}
          >
            {step.reached && <Icon path={mdiCheck} sx={{ fontSize: 14 }} />}
          </Box>
          <Box>
            <Typography variant="body2" sx={{ fontWeight: step.current ? 640 : 500, lineHeight: 1.25, color: step.current ? `tone.${step.tone}.main` : step.reached ? 'text.primary' : 'text.secondary' }}>
              {step.name}
            </Typography>
            <Typography variant="caption" color="text.secondary" component="div" sx={{ lineHeight: 1.25, fontSize: '0.6875rem' }}>
              {step.reached && step.at ? <Time at={step.at} show="absolute" /> : 'not yet'}
            </Typography>
          </Box>
        </Box>
      ))}
    </Box>
  );
}
