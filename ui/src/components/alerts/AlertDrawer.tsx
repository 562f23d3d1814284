import { mdiBookOpenPageVariantOutline, mdiChartLine, mdiClose, mdiFireAlert } from '@mdi/js';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Drawer from '@mui/material/Drawer';
import IconButton from '@mui/material/IconButton';
import Skeleton from '@mui/material/Skeleton';
import Stack from '@mui/material/Stack';
import Typography from '@mui/material/Typography';
import { useMemo, type ReactNode } from 'react';
import { Link } from 'react-router-dom';

import { useAlert, type AlertDetail } from '../../api/alerts';
import { ExpressionChart } from '../../charts/ExpressionChart';
import { explorerPath } from '../../lib/explorerState';
import { parseThreshold } from '../../lib/parseThreshold';
import { safeHref } from '../../lib/safeHref';
import { MONO } from '../../theme';
import { ErrorPanel } from '../ErrorPanel';
import { Icon } from '../Icon';
import { LabelChips } from '../LabelChips';
import { Time } from '../Time';
import { Timeline } from '../Timeline';
import { ToneChip } from '../ToneChip';
import { Deliveries } from './Deliveries';
import { StageTimes } from './StageTimes';

function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Box component="section" aria-label={name}>
      <Typography variant="overline" color="text.secondary" component="h3">
        {name}
      </Typography>
      {children}
    </Box>
  );
}

function Links({ alert }: { alert: AlertDetail }) {
  const runbook = safeHref(alert.annotations.runbook_url);
  return (
    <Stack direction="row" spacing={1} sx={{ flexWrap: 'wrap' }}>
      <Button variant="outlined" component={Link} to={explorerPath(parseThreshold(alert.expr)?.expr ?? alert.expr)} startIcon={<Icon path={mdiChartLine} />}>
        Explore
      </Button>
      {alert.incident_id && (
        <Button variant="outlined" component={Link} to={`/incidents/${alert.incident_id}`} startIcon={<Icon path={mdiFireAlert} />}>
          Incident
        </Button>
      )}
      {runbook && (
        <Button variant="outlined" href={runbook} target="_blank" rel="noreferrer" startIcon={<Icon path={mdiBookOpenPageVariantOutline} />}>
          Runbook
        </Button>
      )}
    </Stack>
  );
}

function Annotations({ alert }: { alert: AlertDetail }) {
  const rest = Object.entries(alert.annotations).filter(([name]) => name !== 'summary');
  return (
    <Stack spacing={0.75}>
      {rest.map(([name, text]) => (
        <Box key={name}>
          <Typography variant="caption" color="text.secondary">
            {name}
          </Typography>
          <Typography variant="body2" sx={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {text}
          </Typography>
        </Box>
      ))}
    </Stack>
  );
}

function Detail({ alert }: { alert: AlertDetail }) {
  const focus = useMemo(() => [alert.labels], [alert.labels]);
  return (
    <Stack spacing={2.25}>
      <Box>
        <Typography variant="body1" sx={{ mb: 0.5 }}>
          {alert.annotations.summary}
        </Typography>
        <Typography variant="body2" color="text.secondary">
          {alert.state} since <Time at={alert.state === 'resolved' ? alert.resolved_at : alert.state === 'firing' ? alert.fired_at : alert.active_at} show="both" />
        </Typography>
      </Box>
      <Links alert={alert} />
      <Part name="Expression, last hour">
        <Box sx={{ fontFamily: MONO, fontSize: '0.75rem', bgcolor: 'surface.sunken', border: 1, borderColor: 'divider', borderRadius: '7px', px: 1.25, py: 0.75, mb: 1, overflowWrap: 'anywhere' }}>
          {alert.expr}
        </Box>
        <ExpressionChart expr={alert.expr} start={null} end={null} height={150} focus={focus} />
      </Part>
      <Part name="Labels">
        <LabelChips labels={alert.labels} />
      </Part>
      {Object.keys(alert.annotations).some((name) => name !== 'summary') && (
        <Part name="Annotations">
          <Annotations alert={alert} />
        </Part>
      )}
      <Part name="Stages of the last firing">
        <StageTimes alert={alert} />
      </Part>
      <Part name="Who was told">
        <Deliveries alert={alert} />
      </Part>
      <Part name="History">
        <Timeline entries={alert.history} empty="The ledger holds nothing about this alert." />
      </Part>
    </Stack>
  );
}

/** Everything about one alert, beside the list. */
export function AlertDrawer({ alertId, close }: { alertId: string | null; close: () => void }) {
  const alert = useAlert(alertId);
  return (
    <Drawer anchor="right" open={alertId !== null} onClose={close} slotProps={{ backdrop: { sx: { bgcolor: 'rgba(0, 0, 0, 0.35)' } } }} PaperProps={{ sx: { width: { xs: '100%', sm: 620 }, borderLeft: 1, borderColor: 'divider' }, 'aria-label': 'Alert', role: 'dialog' }}>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1, px: 2.5, py: 1.5, borderBottom: 1, borderColor: 'divider', position: 'sticky', top: 0, bgcolor: 'background.paper', zIndex: 2 }}>
        <Typography variant="h1" noWrap>
          {alert.data?.rule ?? 'Alert'}
        </Typography>
        {alert.data && <ToneChip word={alert.data.state} />}
        {alert.data?.severity && <ToneChip word={alert.data.severity} variant="outlined" sx={{ bgcolor: 'transparent' }} />}
        <IconButton onClick={close} aria-label="Close" sx={{ ml: 'auto' }}>
          <Icon path={mdiClose} />
        </IconButton>
      </Box>
      <Box sx={{ px: 2.5, py: 2 }}>
        {alert.data ? (
          <Detail alert={alert.data} />
        ) : alert.isError ? (
          <ErrorPanel error={alert.error} retry={() => void alert.refetch()} />
        ) : (
          <Skeleton variant="rounded" height={320} />
        )}
      </Box>
    </Drawer>
  );
}
