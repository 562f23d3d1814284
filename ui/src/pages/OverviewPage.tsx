import { mdiRadar } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Paper from '@mui/material/Paper';
import Skeleton from '@mui/material/Skeleton';
import Stack from '@mui/material/Stack';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';
import { Link } from 'react-router-dom';

import { useLive } from '../api/live';
import { useOverview, type Health, type Overview } from '../api/overview';
import { EmptyState } from '../components/EmptyState';
import { ErrorPanel } from '../components/ErrorPanel';
import { RecentChanges } from '../components/overview/RecentChanges';
import { useSignals } from '../components/overview/useSignals';
import { WorkflowCard } from '../components/overview/WorkflowCard';
import { Page } from '../components/Page';
import { StatusDot } from '../components/StatusDot';
import { Time } from '../components/Time';
import { toneOf } from '../lib/toneOf';
import type { Tone } from '../theme';

const IN_WORDS: Record<Health, string> = {
  healthy: 'All is well',
  degraded: 'Something is degraded',
  critical: 'Something is broken',
  unknown: 'Not enough is known',
};

const REFRESH_MS = 5_000;

function Figure({ name, value, tone, to }: { name: string; value: ReactNode; tone?: Tone; to?: string }) {
  return (
    <Box
      {...(to ? { component: Link, to } : {})}
      sx={{ px: 2.5, py: 0.25, borderLeft: 1, borderColor: 'divider', textDecoration: 'none', color: 'text.primary', '&[href]:hover .name': { textDecoration: 'underline' } }}
    >
      <Typography sx={{ fontSize: '1.25rem', fontWeight: 640, lineHeight: 1.25, fontVariantNumeric: 'tabular-nums', color: tone ? `tone.${tone}.main` : 'inherit' }}>
        {value}
      </Typography>
      <Typography className="name" variant="caption" color="text.secondary">
        {name}
      </Typography>
    </Box>
  );
}

function Summary({ overview }: { overview: Overview }) {
  const { state } = useLive();
  const services = overview.workflows.flatMap((workflow) => workflow.services);
  const healthy = services.filter((service) => service.status === 'healthy').length;
  const tone = toneOf(overview.status);
  return (
    <Paper variant="outlined" sx={{ display: 'flex', alignItems: 'center', flexWrap: 'wrap', rowGap: 1.5, px: 2, py: 1.5, mb: 2 }}>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 2, mr: 'auto', pr: 3 }} data-testid="overall" data-status={overview.status}>
        <StatusDot tone={tone} size={14} pulse={tone === 'critical'} />
        <Box>
          <Typography sx={{ fontSize: '1.0625rem', fontWeight: 640, lineHeight: 1.3 }}>{IN_WORDS[overview.status]}</Typography>
          <Typography variant="caption" sx={{ color: state === 'lost' ? 'warning.main' : 'text.secondary' }}>
            {state === 'lost' ? 'Event stream lost · data as of ' : 'Data as of '}
            <Time at={overview.generated_at} show="absolute" />
          </Typography>
        </Box>
      </Box>
      <Figure name="firing alerts" value={overview.firing_alerts} tone={overview.firing_alerts > 0 ? 'critical' : undefined} to="/alerts" />
      <Figure name="open incidents" value={overview.open_incidents} tone={overview.open_incidents > 0 ? 'warning' : undefined} to="/incidents" />
      <Figure name="services healthy" value={`${healthy}/${services.length}`} />
    </Paper>
  );
}

function Content({ overview, error }: { overview: Overview; error: unknown }) {
  const traces = useSignals();
  return (
    <>
      <Summary overview={overview} />
      {error instanceof Error && (
        <Alert severity="error" sx={{ mb: 2 }}>
          What is shown is from <Time at={overview.generated_at} />: {error.message}
        </Alert>
      )}
      {overview.problem && (
        <Alert severity="warning" sx={{ mb: 2 }}>
          {overview.problem}
        </Alert>
      )}
      <Box sx={{ display: 'grid', gridTemplateColumns: { xs: 'minmax(0, 1fr)', xl: 'minmax(0, 1fr) 330px' }, gap: 2, alignItems: 'start' }}>
        <Stack spacing={1.5}>
          {overview.workflows.map((workflow) => (
            <WorkflowCard key={workflow.name} workflow={workflow} traces={traces} />
          ))}
          {overview.workflows.length === 0 && (
            <Paper variant="outlined">
              <EmptyState icon={mdiRadar} title="Nothing is watched yet">
                As soon as a target is scraped or a sample is received, its workflow and service stand here.
              </EmptyState>
            </Paper>
          )}
        </Stack>
        <Box sx={{ position: { xl: 'sticky' }, top: 16 }}>
          <RecentChanges recent={overview.recent} />
        </Box>
      </Box>
    </>
  );
}

/** The health of everything watched, worst first, with reasons. */
export default function OverviewPage() {
  const overview = useOverview(REFRESH_MS);
  return (
    <Page title="Overview">
      {overview.data ? (
        <Content overview={overview.data} error={overview.error} />
      ) : overview.isError ? (
        <ErrorPanel error={overview.error} retry={() => void overview.refetch()} />
      ) : (
        <Stack spacing={1.5} aria-label="Loading">
          <Skeleton variant="rounded" height={76} />
          <Skeleton variant="rounded" height={190} />
          <Skeleton variant="rounded" height={190} />
        </Stack>
      )}
    </Page>
  );
}
