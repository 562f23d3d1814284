import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import MenuItem from '@mui/material/MenuItem';
import Paper from '@mui/material/Paper';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useEffect, useState, type FormEvent, type ReactNode } from 'react';
import { Link } from 'react-router-dom';

import type { IncidentAction, IncidentDetail } from '../../api/incidents';
import { useSession } from '../../api/session';
import { useNow } from '../../hooks/useNow';
import { formatDuration } from '../../lib/formatDuration';
import { toneOf } from '../../lib/toneOf';
import { StatusDot } from '../StatusDot';
import { Time } from '../Time';

interface RailProps {
  incident: IncidentDetail;
  mayRespond: boolean;
  mayCommand: boolean;
  act: (action: IncidentAction) => void;
  askSeverity: (severity: string) => void;
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Box sx={{ display: 'grid', gridTemplateColumns: '96px minmax(0, 1fr)', alignItems: 'center', minHeight: 32, columnGap: 1 }}>
      <Typography variant="body2" color="text.secondary">
        {name}
      </Typography>
      <Typography variant="body2" component="div" sx={{ overflowWrap: 'anywhere' }}>
        {children}
      </Typography>
    </Box>
  );
}

function Assignee({ incident, mayRespond, act }: Pick<RailProps, 'incident' | 'mayRespond' | 'act'>) {
  const me = useSession().data?.login ?? '';
  const [name, setName] = useState(incident.assignee ?? '');
  useEffect(() => setName(incident.assignee ?? ''), [incident.assignee]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== (incident.assignee ?? '')) act({ verb: 'assign', body: { assignee: name.trim() } });
  };
  return (
    <Box component="form" onSubmit={submit} sx={{ display: 'flex', gap: 0.75 }}>
      <TextField fullWidth value={name} disabled={!mayRespond} placeholder="nobody" onChange={(event) => setName(event.target.value)} inputProps={{ 'aria-label': 'Assignee' }} sx={{ '& .MuiInputBase-root': { height: 32 } }} />
      {mayRespond && name.trim() !== (incident.assignee ?? '') ? (
        <Button type="submit" variant="outlined" sx={{ flexShrink: 0 }}>
          Assign
        </Button>
      ) : (
        mayRespond &&
        incident.assignee !== me && (
          <Button sx={{ flexShrink: 0 }} onClick={() => act({ verb: 'assign', body: { assignee: me } })}>
            Take it
          </Button>
        )
      )}
    </Box>
  );
}

function Severity({ incident, mayCommand, ask }: { incident: IncidentDetail; mayCommand: boolean; ask: (severity: string) => void }) {
  return (
    <TextField
      select
      fullWidth
      disabled={!mayCommand}
      value={incident.severity}
      onChange={(event) => ask(event.target.value)}
      SelectProps={{ SelectDisplayProps: { 'aria-label': 'Severity' } }}
      sx={{ '& .MuiInputBase-root': { height: 32 } }}
    >
      {[...new Set(['critical', 'warning', 'info', incident.severity])].map((severity) => (
        <MenuItem key={severity} value={severity}>
          <Box component="span" sx={{ display: 'inline-flex', alignItems: 'center', gap: 1.25 }}>
            <StatusDot tone={toneOf(severity)} size={8} />
            {severity}
          </Box>
        </MenuItem>
      ))}
    </TextField>
  );
}

function Duration({ incident }: { incident: IncidentDetail }) {
  const now = useNow(1000);
  const end = incident.resolved_at ? new Date(incident.resolved_at) : now;
  return <>{formatDuration(Math.max(0, (end.getTime() - new Date(incident.opened_at).getTime()) / 1000))}</>;
}

function filterLink(label: 'service' | 'workflow', value: string): ReactNode {
  if (!value) return 'no label';
  const search = new URLSearchParams([['state', 'all'], ['label', `${label}=${value}`]]);
  return <Link to={`/alerts?${search.toString()}`}>{value}</Link>;
}

/** What an incident is, at a glance: severity, people, place, times. */
export function Rail({ incident, mayRespond, mayCommand, act, askSeverity }: RailProps) {
  return (
    <Paper variant="outlined" component="aside" aria-label="Properties" sx={{ p: 2, display: 'flex', flexDirection: 'column', gap: 0.75 }}>
      <Fact name="Severity">
        <Severity incident={incident} mayCommand={mayCommand} ask={askSeverity} />
      </Fact>
      <Fact name="Assignee">
        <Assignee incident={incident} mayRespond={mayRespond} act={act} />
      </Fact>
      <Box sx={{ borderTop: 1, borderColor: 'divider', my: 0.75 }} />
      <Fact name="Workflow">{filterLink('workflow', incident.workflow)}</Fact>
      <Fact name="Service">{filterLink('service', incident.service)}</Fact>
      <Fact name="Alerts">
        {incident.open_alert_ids.length} open of {incident.alert_ids.length}
      </Fact>
      <Box sx={{ borderTop: 1, borderColor: 'divider', my: 0.75 }} />
      <Fact name="Duration">
        <span style={{ fontVariantNumeric: 'tabular-nums' }}>
          <Duration incident={incident} />
        </span>
      </Fact>
      <Fact name="Opened">
        <Time at={incident.opened_at} show="absolute" />
      </Fact>
      {incident.acknowledged_at && (
        <Fact name="Acknowledged">
          <Time at={incident.acknowledged_at} show="absolute" />
          {incident.acknowledged_by && ` by ${incident.acknowledged_by}`}
        </Fact>
      )}
      {incident.resolved_at && (
        <Fact name="Resolved">
          <Time at={incident.resolved_at} show="absolute" />
        </Fact>
      )}
    </Paper>
  );
}
