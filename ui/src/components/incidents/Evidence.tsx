import { mdiChartLine } from '@mdi/js';
import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import Paper from '@mui/material/Paper';
import { useTheme } from '@mui/material/styles';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import { useMemo } from 'react';
import { Link } from 'react-router-dom';

import type { Alert } from '../../api/alerts';
import type { IncidentDetail } from '../../api/incidents';
import { ExpressionChart } from '../../charts/ExpressionChart';
import type { Mark } from '../../charts/overlays';
import { explorerPath } from '../../lib/explorerState';
import { incidentWindow } from '../../lib/incidentWindow';
import { parseThreshold } from '../../lib/parseThreshold';
import { seriesName } from '../../lib/seriesName';
import { MONO } from '../../theme';
import { Icon } from '../Icon';
import { Time } from '../Time';
import { ToneChip } from '../ToneChip';

const STATES = ['firing', 'pending', 'resolved'];
const ALERTS_SHOWN = 8;

function byState(left: Alert, right: Alert): number {
  return STATES.indexOf(left.state) - STATES.indexOf(right.state);
}

function AlertLine({ alert }: { alert: Alert }) {
  const text = alert.annotations.summary || seriesName(alert.labels);
  return (
    <Box component="li" sx={{ display: 'grid', gridTemplateColumns: '76px minmax(0, 1fr) auto', alignItems: 'center', gap: 1.5, px: 2, py: 0.5 }}>
      <ToneChip word={alert.state} sx={{ justifySelf: 'start' }} />
      <Typography variant="body2" noWrap component={Link} to={`/alerts?state=${alert.state}&alert=${alert.alert_id}`} title={seriesName(alert.labels)} sx={{ color: 'text.primary', textDecoration: 'none', '&:hover': { textDecoration: 'underline' } }}>
        {text}
      </Typography>
      <Typography variant="caption" color="text.secondary" component="div">
        <Time at={alert.state === 'resolved' ? alert.resolved_at : (alert.fired_at ?? alert.active_at)} />
      </Typography>
    </Box>
  );
}


function useMarks(incident: IncidentDetail): Mark[] {
  const { palette } = useTheme();
  return useMemo(() => {
    const moments: [string | null, string, string][] = [
      [incident.opened_at, 'opened', palette.tone.critical.main],
      [incident.status === 'open' ? null : incident.acknowledged_at, 'acknowledged', palette.tone.warning.main],
      [incident.resolved_at, 'resolved', palette.tone.ok.main],
    ];
    return moments.flatMap(([at, label, colour]) => (at ? [{ at: Date.parse(at) / 1000, label, colour }] : []));
  }, [incident.opened_at, incident.acknowledged_at, incident.resolved_at, incident.status, palette]);
}

function byExpression(alerts: Alert[]): Map<string, Alert[]> {
  const groups = new Map<string, Alert[]>();
  for (const alert of alerts) groups.set(alert.expr, [...(groups.get(alert.expr) ?? []), alert]);
  return groups;
}

function Panel({ incident, expr, alerts, marks }: { incident: IncidentDetail; expr: string; alerts: Alert[]; marks: Mark[] }) {
  const window = incidentWindow(incident);
  const focus = useMemo(() => alerts.map((alert) => alert.labels), [alerts]);
  const [first] = alerts;
  const range = Math.max(3600, Math.ceil((window.end ?? Date.now() / 1000) - window.start));
  const link = explorerPath(parseThreshold(expr)?.expr ?? expr, { end: window.end, range });
  return (
    <Paper variant="outlined" component="section" aria-label={`Chart of ${first?.rule ?? 'alert'}`} sx={{ minWidth: 0 }}>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1, px: 2, pt: 1.25 }}>
        <Typography variant="h3" noWrap>
          {first?.rule}
        </Typography>
        <Tooltip title="Open in the explorer">
          <IconButton size="small" component={Link} to={link} aria-label={`Explore the expression of ${first?.rule ?? 'the alert'}`} sx={{ ml: 'auto' }}>
            <Icon path={mdiChartLine} />
          </IconButton>
        </Tooltip>
      </Box>
      <Typography variant="caption" color="text.secondary" noWrap component="div" title={expr} sx={{ fontFamily: MONO, px: 2, fontSize: '0.6875rem' }}>
        {expr}
      </Typography>
      <Box sx={{ px: 1, pt: 0.5 }}>
        <ExpressionChart expr={expr} start={window.start} end={window.end} height={190} marks={marks} focus={focus} syncKey={incident.incident_id} />
      </Box>
      <Box component="ul" aria-label={`Alerts of ${first?.rule ?? 'the rule'}`} sx={{ listStyle: 'none', m: 0, p: 0, pb: 0.5 }}>
        {[...alerts].sort(byState).slice(0, ALERTS_SHOWN).map((alert) => (
          <AlertLine key={alert.alert_id} alert={alert} />
        ))}
      </Box>
      {alerts.length > ALERTS_SHOWN && (
        <Typography variant="caption" color="text.secondary" sx={{ px: 2, pb: 1, display: 'block' }}>
          and {alerts.length - ALERTS_SHOWN} more
        </Typography>
      )}
    </Paper>
  );
}

/** What the incident's alerts saw, around its time, with its moments marked. */
export function Evidence({ incident }: { incident: IncidentDetail }) {
  const marks = useMarks(incident);
  const groups = [...byExpression(incident.alerts)];
  if (groups.length === 0) return null;
  return (
    <Box sx={{ display: 'grid', gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: groups.length > 1 ? 'repeat(2, minmax(0, 1fr))' : 'minmax(0, 1fr)' }, gap: 1.5 }}>
      {groups.map(([expr, alerts]) => (
        <Panel key={expr} incident={incident} expr={expr} alerts={alerts} marks={marks} />
      ))}
    </Box>
  );
}
