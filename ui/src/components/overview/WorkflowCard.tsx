import Box from '@mui/material/Box';
import Paper from '@mui/material/Paper';
import Typography from '@mui/material/Typography';

import type { WorkflowHealth } from '../../api/overview';
import { toneOf } from '../../lib/toneOf';
import { StatusDot } from '../StatusDot';
import { ToneChip } from '../ToneChip';
import { ROW_COLUMNS, ServiceRow } from './ServiceRow';
import { SIGNALS } from './signals';
import { placeKey, type SignalTrace } from './useSignals';

/** One workflow and its services, worst first, with the reason in words. */
export function WorkflowCard({ workflow, traces }: { workflow: WorkflowHealth; traces: Map<string, SignalTrace[]> }) {
  const tone = toneOf(workflow.status);
  const name = workflow.name || 'Without a workflow';
  return (
    <Paper
      variant="outlined"
      component="section"
      aria-label={name}
      data-testid="workflow"
      data-workflow={workflow.name}
      data-status={workflow.status}
      sx={{ overflow: 'hidden', borderLeftWidth: 3, borderLeftStyle: 'solid', borderLeftColor: tone === 'ok' ? 'divider' : `tone.${tone}.main` }}
    >
      <Box role="table" aria-label={`Services of ${name}`}>
        <Box role="row" sx={{ display: 'grid', gridTemplateColumns: ROW_COLUMNS, columnGap: 2, px: 2, py: 1, alignItems: 'center' }}>
          <Box role="columnheader" sx={{ display: 'flex', alignItems: 'center', columnGap: 1.5, rowGap: 0.5, flexWrap: { xs: 'wrap', md: 'nowrap' }, minWidth: 0, gridColumn: { lg: 'span 2' } }}>
            <StatusDot tone={tone} size={10} pulse={tone === 'critical'} />
            <Typography variant="h2" sx={{ flexShrink: 0 }}>
              {name}
            </Typography>
            {tone !== 'ok' && <ToneChip word={workflow.status} />}
            <Typography variant="body2" sx={{ color: tone === 'ok' ? 'text.secondary' : 'text.primary' }}>
              {workflow.reason}
            </Typography>
          </Box>
          {['Instances', ...SIGNALS.map((signal) => signal.name)].map((heading) => (
            <Typography key={heading} role="columnheader" variant="caption" color="text.secondary" sx={{ fontSize: '0.6875rem', display: { xs: 'none', lg: 'block' } }}>
              {heading}
            </Typography>
          ))}
        </Box>
        {workflow.services.map((service) => (
          <ServiceRow key={service.name} service={service} workflow={workflow.name} traces={traces.get(placeKey(workflow.name, service.name)) ?? []} />
        ))}
      </Box>
    </Paper>
  );
}
