import { mdiBellOutline, mdiFireAlert } from '@mdi/js';
import Box from '@mui/material/Box';
import Chip from '@mui/material/Chip';
import { useTheme } from '@mui/material/styles';
import Typography from '@mui/material/Typography';
import { Link } from 'react-router-dom';

import type { ServiceHealth } from '../../api/overview';
import { Sparkline } from '../../charts/Sparkline';
import { formatUnit } from '../../lib/formatUnit';
import { toneOf } from '../../lib/toneOf';
import { Icon } from '../Icon';
import { StatusDot } from '../StatusDot';
import { SIGNALS } from './signals';
import type { SignalTrace } from './useSignals';

export const ROW_COLUMNS = {
  xs: 'minmax(0, 1fr)',
  lg: 'minmax(150px, 1fr) minmax(160px, 2fr) 60px repeat(3, minmax(100px, 132px))',
  xl: 'minmax(172px, 1fr) minmax(180px, 2.2fr) 64px repeat(3, minmax(110px, 132px))',
};

interface TraceProps {
  name: string;
  trace: SignalTrace | undefined;
  service: string;
  quiet: boolean;
}

function Trace({ name, trace, service, quiet }: TraceProps) {
  const { palette } = useTheme();
  const value = trace?.last !== null && trace?.last !== undefined ? formatUnit(trace.last, trace.signal.unit) : '–';
  const failing = name === 'Errors' && (trace?.last ?? 0) > 0.01;
  const colour = failing ? palette.tone.critical.main : quiet ? palette.tone.unknown.main : undefined;
  return (
    <Box sx={{ display: { xs: 'none', lg: 'grid' }, gridTemplateColumns: 'minmax(0, 1fr) 54px', alignItems: 'center', gap: 1 }}>
      {trace ? (
        <Sparkline columns={trace.columns} height={26} label={`${name} of ${service}: ${value}`} colour={colour} />
      ) : (
        <span />
      )}
      <Typography variant="caption" sx={{ fontVariantNumeric: 'tabular-nums', textAlign: 'right', color: trace ? 'text.primary' : 'text.secondary' }}>
        {value}
      </Typography>
    </Box>
  );
}

function Badges({ service, workflow }: { service: ServiceHealth; workflow: string }) {
  const [incident] = service.open_incidents;
  if (service.firing.length === 0 && !incident) return null;
  const filter = new URLSearchParams([...(workflow ? [['label', `workflow=${workflow}`]] : []), ['label', `service=${service.name}`]]);
  return (
    <Box component="span" sx={{ display: 'inline-flex', gap: 0.75 }}>
      {service.firing.length > 0 && (
        <Chip
          size="small"
          clickable
          component={Link}
          to={`/alerts?${filter.toString()}`}
          icon={<Icon path={mdiBellOutline} sx={{ fontSize: '14px !important' }} />}
          label={`${service.firing.length} firing`}
        />
      )}
      {incident && (
        <Chip
          size="small"
          clickable
          component={Link}
          to={`/incidents/${incident.incident_id}`}
          icon={<Icon path={mdiFireAlert} sx={{ fontSize: '14px !important' }} />}
          label={`#${incident.number}`}
          title={incident.title}
        />
      )}
    </Box>
  );
}

/** One service: how it is, why, how many of it run, and its last quarter of an hour. */
export function ServiceRow({ service, workflow, traces }: { service: ServiceHealth; workflow: string; traces: SignalTrace[] }) {
  const tone = toneOf(service.status);
  const { up, total } = service.instances;
  return (
    <Box
      role="row"
      data-testid="service"
      data-service={service.name}
      data-status={service.status}
      sx={{
        display: 'grid',
        gridTemplateColumns: ROW_COLUMNS,
        alignItems: 'center',
        columnGap: 2,
        rowGap: 0.25,
        px: 2,
        py: 0.625,
        minHeight: 40,
        borderTop: 1,
        borderColor: 'divider',
        '&:hover': { bgcolor: 'surface.hover' },
      }}
    >
      <Box role="cell" sx={{ display: 'flex', alignItems: 'center', gap: 1.5, minWidth: 0 }}>
        <StatusDot tone={tone} pulse={tone === 'critical'} />
        <Typography noWrap sx={{ fontWeight: 540 }}>
          {service.name || 'no service label'}
        </Typography>
      </Box>
      <Box role="cell" sx={{ minWidth: 0, display: 'flex', flexWrap: 'wrap', alignItems: 'center', columnGap: 1, rowGap: 0.375 }}>
        <Typography component="span" variant="body2" sx={{ color: tone === 'ok' ? 'text.secondary' : `tone.${tone}.main` }}>
          {service.reason}
        </Typography>
        <Badges service={service} workflow={workflow} />
      </Box>
      <Typography role="cell" variant="body2" sx={{ fontVariantNumeric: 'tabular-nums', color: up < total ? 'warning.main' : 'text.secondary', fontWeight: up < total ? 600 : 400 }}>
        {total > 0 ? `${up}/${total} up` : '–'}
      </Typography>
      {SIGNALS.map((signal) => (
        <Trace key={signal.name} name={signal.name} service={service.name} trace={traces.find((one) => one.signal === signal)} quiet={tone === 'ok'} />
      ))}
    </Box>
  );
}
