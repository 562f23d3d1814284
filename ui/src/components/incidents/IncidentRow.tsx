import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { Link } from 'react-router-dom';

import type { Incident } from '../../api/incidents';
import { useNow } from '../../hooks/useNow';
import { formatDuration } from '../../lib/formatDuration';
import { toneOf } from '../../lib/toneOf';
import { StatusDot } from '../StatusDot';
import { Time } from '../Time';
import { ToneChip } from '../ToneChip';

export const INCIDENT_COLUMNS = { xs: '58px minmax(0, 1fr) 112px', md: '58px minmax(0, 1fr) 96px 112px 120px 76px 110px' };

function Lasting({ incident }: { incident: Incident }) {
  const now = useNow(5_000);
  const end = incident.resolved_at ? new Date(incident.resolved_at) : now;
  return <>{formatDuration(Math.max(0, (end.getTime() - new Date(incident.opened_at).getTime()) / 1000))}</>;
}

/** One incident on one line. */
export function IncidentRow({ incident, row, selected }: { incident: Incident; row: number; selected: boolean }) {
  const wide = { display: { xs: 'none', md: 'block' } };
  return (
    <Box
      component={Link}
      to={`/incidents/${incident.incident_id}`}
      data-row={row}
      data-testid="incident"
      data-status={incident.status}
      data-number={incident.number}
      aria-current={selected || undefined}
      sx={{
        display: 'grid',
        gridTemplateColumns: INCIDENT_COLUMNS,
        alignItems: 'center',
        columnGap: 2,
        px: 2,
        minHeight: 46,
        py: 0.75,
        borderTop: 1,
        borderColor: 'divider',
        textDecoration: 'none',
        color: 'text.primary',
        opacity: incident.status === 'resolved' ? 0.82 : 1,
        boxShadow: selected ? (theme) => `inset 2px 0 0 ${theme.palette.primary.main}` : 'none',
        bgcolor: selected ? 'surface.hover' : undefined,
        '&:hover': { bgcolor: 'surface.hover' },
        '&:focus-visible': { outlineOffset: -2 },
      }}
    >
      <Typography variant="body2" color="text.secondary" sx={{ fontVariantNumeric: 'tabular-nums' }}>
        #{incident.number}
      </Typography>
      <Box sx={{ display: 'flex', gap: 1.5, alignItems: 'center', minWidth: 0 }}>
        <StatusDot tone={toneOf(incident.severity)} />
        <Box sx={{ minWidth: 0 }}>
          <Typography noWrap sx={{ fontWeight: 540, lineHeight: 1.35 }}>
            {incident.title}
          </Typography>
          <Typography variant="caption" color="text.secondary" noWrap component="div">
            {[incident.workflow, incident.service].filter(Boolean).join(' / ') || 'no workflow or service label'}
          </Typography>
        </Box>
      </Box>
      <Box sx={wide}>
        <ToneChip word={incident.severity} variant="outlined" sx={{ bgcolor: 'transparent' }} />
      </Box>
      <Box>
        <ToneChip word={incident.status} />
      </Box>
      <Typography variant="body2" noWrap color={incident.assignee ? 'text.primary' : 'text.secondary'} sx={wide}>
        {incident.assignee || 'nobody'}
      </Typography>
      <Typography variant="body2" sx={{ ...wide, fontVariantNumeric: 'tabular-nums' }}>
        <Lasting incident={incident} />
      </Typography>
      <Typography variant="body2" color="text.secondary" component="div" sx={{ ...wide, textAlign: 'right' }}>
        <Time at={incident.opened_at} />
      </Typography>
    </Box>
  );
}
