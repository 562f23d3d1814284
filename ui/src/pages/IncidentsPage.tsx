import { mdiCheckCircleOutline, mdiFilterOffOutline } from '@mdi/js';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import MenuItem from '@mui/material/MenuItem';
import Paper from '@mui/material/Paper';
import Skeleton from '@mui/material/Skeleton';
import TextField from '@mui/material/TextField';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import Typography from '@mui/material/Typography';
import { useNavigate, useSearchParams } from 'react-router-dom';

import { useIncidents, type Incident } from '../api/incidents';
import { EmptyState } from '../components/EmptyState';
import { ErrorPanel } from '../components/ErrorPanel';
import { INCIDENT_COLUMNS, IncidentRow } from '../components/incidents/IncidentRow';
import { Page } from '../components/Page';
import { useRowCursor } from '../hooks/useRowCursor';
import { byUrgency, matchesIncident, readIncidentFilter, writeIncidentFilter, type IncidentFilter } from '../lib/incidentFilter';

const STATUSES: [IncidentFilter['status'], string][] = [
  ['active', 'Active'],
  ['open', 'Open'],
  ['acknowledged', 'Acknowledged'],
  ['resolved', 'Resolved'],
  ['all', 'All'],
];

function Filters({ filter, change }: { filter: IncidentFilter; change: (filter: IncidentFilter) => void }) {
  return (
    <>
      <ToggleButtonGroup exclusive size="small" value={filter.status} aria-label="Status" onChange={(_event, status: IncidentFilter['status'] | null) => status && change({ ...filter, status })}>
        {STATUSES.map(([status, name]) => (
          <ToggleButton key={status} value={status} sx={{ height: 34 }}>
            {name}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
      <TextField select value={filter.severity} onChange={(event) => change({ ...filter, severity: event.target.value })} SelectProps={{ displayEmpty: true, SelectDisplayProps: { 'aria-label': 'Severity' } }} sx={{ width: 150, '& .MuiInputBase-root': { height: 34 } }}>
        <MenuItem value="">Any severity</MenuItem>
        {['critical', 'warning', 'info'].map((severity) => (
          <MenuItem key={severity} value={severity}>
            {severity}
          </MenuItem>
        ))}
      </TextField>
    </>
  );
}

const HEADS: [name: string, wideOnly: boolean][] = [
  ['No.', false],
  ['Incident', false],
  ['Severity', true],
  ['Status', false],
  ['Assignee', true],
  ['Lasting', true],
  ['Opened', true],
];

function Heads() {
  return (
    <Box sx={{ display: 'grid', gridTemplateColumns: INCIDENT_COLUMNS, columnGap: 2, px: 2, py: 0.875 }} aria-hidden>
      {HEADS.map(([name, wideOnly]) => (
        <Typography key={name} variant="caption" color="text.secondary" sx={{ fontWeight: 560, display: wideOnly ? { xs: 'none', md: 'block' } : 'block', textAlign: name === 'Opened' ? 'right' : 'left' }}>
          {name}
        </Typography>
      ))}
    </Box>
  );
}

function IncidentList({ incidents }: { incidents: Incident[] }) {
  const navigate = useNavigate();
  const [cursor] = useRowCursor(incidents.length, (row) => navigate(`/incidents/${incidents[row]?.incident_id ?? ''}`));
  return (
    <Paper variant="outlined" sx={{ overflow: 'hidden' }}>
      <Heads />
      {incidents.map((incident, row) => (
        <IncidentRow key={incident.incident_id} incident={incident} row={row} selected={row === cursor} />
      ))}
    </Paper>
  );
}

/** What people are working on. */
export default function IncidentsPage() {
  const incidents = useIncidents();
  const [search, setSearch] = useSearchParams();
  const filter = readIncidentFilter(search);
  const change = (next: IncidentFilter) => setSearch(writeIncidentFilter(next), { replace: true });
  const shown = (incidents.data ?? []).filter((one) => matchesIncident(one, filter)).sort(byUrgency);
  const narrowed = filter.severity !== '' || filter.status !== 'active';
  return (
    <Page title="Incidents" actions={<Filters filter={filter} change={change} />}>
      {incidents.data ? (
        shown.length > 0 ? (
          <IncidentList incidents={shown} />
        ) : (
          <Paper variant="outlined">
            {narrowed ? (
              <EmptyState icon={mdiFilterOffOutline} title="No incident passes the filter">
                <Button onClick={() => setSearch(new URLSearchParams())} sx={{ mt: 1 }}>
                  Show active incidents
                </Button>
              </EmptyState>
            ) : (
              <EmptyState icon={mdiCheckCircleOutline} title="No active incident" calm>
                <Button onClick={() => change({ ...filter, status: 'all' })} sx={{ mt: 1 }}>
                  Show past incidents
                </Button>
              </EmptyState>
            )}
          </Paper>
        )
      ) : incidents.isError ? (
        <ErrorPanel error={incidents.error} retry={() => void incidents.refetch()} />
      ) : (
        <Skeleton variant="rounded" height={260} aria-label="Loading" />
      )}
    </Page>
  );
}
