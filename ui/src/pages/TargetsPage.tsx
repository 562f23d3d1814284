import { mdiRadar } from '@mdi/js';
import Box from '@mui/material/Box';
import Paper from '@mui/material/Paper';
import Skeleton from '@mui/material/Skeleton';
import Stack from '@mui/material/Stack';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import Typography from '@mui/material/Typography';
import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router-dom';

import { activeTargets, type Target } from '../api/prometheus';
import { EmptyState } from '../components/EmptyState';
import { ErrorPanel } from '../components/ErrorPanel';
import { LabelChips } from '../components/LabelChips';
import { Page } from '../components/Page';
import { Time } from '../components/Time';
import { ToneChip } from '../components/ToneChip';
import { formatUnit } from '../lib/formatUnit';
import { MONO } from '../theme';

const COLUMNS = { xs: '84px minmax(0, 1fr)', md: '84px minmax(220px, 1fr) minmax(0, 1.6fr) 90px 76px' };
const NEVER = '0001-01-01';

function byHealth(left: Target, right: Target): number {
  const order = ['down', 'unknown', 'up'];
  return order.indexOf(left.health) - order.indexOf(right.health) || left.scrapeUrl.localeCompare(right.scrapeUrl);
}

function TargetRow({ target }: { target: Target }) {
  const wide = { display: { xs: 'none', md: 'block' } };
  return (
    <Box data-testid="target" data-health={target.health} sx={{ display: 'grid', gridTemplateColumns: COLUMNS, columnGap: 2, alignItems: 'center', px: 2, py: 0.875, borderTop: 1, borderColor: 'divider' }}>
      <ToneChip word={target.health} sx={{ justifySelf: 'start' }} />
      <Box sx={{ minWidth: 0 }}>
        <Typography variant="body2" noWrap title={target.scrapeUrl} sx={{ fontFamily: MONO, fontSize: '0.75rem' }}>
          {target.scrapeUrl}
        </Typography>
        {target.lastError && (
          <Typography variant="caption" color="error.main" sx={{ overflowWrap: 'anywhere' }}>
            {target.lastError}
          </Typography>
        )}
      </Box>
      <Box sx={wide}>
        <LabelChips labels={target.labels} hide={['job']} />
      </Box>
      <Typography variant="body2" color="text.secondary" component="div" sx={wide}>
        {target.lastScrape.startsWith(NEVER) ? 'not yet' : <Time at={target.lastScrape} />}
      </Typography>
      <Typography variant="body2" color="text.secondary" sx={{ ...wide, textAlign: 'right', fontVariantNumeric: 'tabular-nums' }}>
        {formatUnit(target.lastScrapeDuration, 'seconds')}
      </Typography>
    </Box>
  );
}

function Pool({ name, targets }: { name: string; targets: Target[] }) {
  const up = targets.filter((target) => target.health === 'up').length;
  const [first] = targets;
  return (
    <Paper variant="outlined" component="section" aria-label={name} sx={{ overflow: 'hidden' }}>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1.5, px: 2, py: 1.125 }}>
        <Typography variant="h2">{name}</Typography>
        <ToneChip word={`${up}/${targets.length} up`} tone={up === targets.length ? 'ok' : 'critical'} />
        <Typography variant="caption" color="text.secondary" sx={{ ml: 'auto' }}>
          every {first?.scrapeInterval}
        </Typography>
      </Box>
      {[...targets].sort(byHealth).map((target) => (
        <TargetRow key={`${target.scrapeUrl}${JSON.stringify(target.labels)}`} target={target} />
      ))}
    </Paper>
  );
}

function pools(targets: Target[]): [name: string, targets: Target[]][] {
  const found = new Map<string, Target[]>();
  for (const target of targets) found.set(target.scrapePool, [...(found.get(target.scrapePool) ?? []), target]);
  return [...found].sort(([left], [right]) => left.localeCompare(right));
}

/** What is scraped, by job, what fails first. */
export default function TargetsPage() {
  const [search, setSearch] = useSearchParams();
  const only = search.get('health') === 'down' ? 'down' : 'all';
  const targets = useQuery({ queryKey: ['targets'], queryFn: ({ signal }) => activeTargets(signal), refetchInterval: 5_000 });
  const shown = (targets.data ?? []).filter((target) => only === 'all' || target.health !== 'up');
  return (
    <Page
      title="Targets"
      actions={
        <ToggleButtonGroup exclusive size="small" value={only} aria-label="Health" onChange={(_event, next: string | null) => next && setSearch(next === 'down' ? { health: 'down' } : {}, { replace: true })}>
          <ToggleButton value="all">All</ToggleButton>
          <ToggleButton value="down">Not up</ToggleButton>
        </ToggleButtonGroup>
      }
    >
      {targets.data ? (
        shown.length > 0 ? (
          <Stack spacing={1.5}>
            {pools(shown).map(([name, members]) => (
              <Pool key={name} name={name} targets={members} />
            ))}
          </Stack>
        ) : (
          <Paper variant="outlined">
            <EmptyState icon={mdiRadar} title={only === 'down' ? 'Every target is up' : 'Nothing is scraped'} calm={only === 'down'}>
              {only === 'down' ? null : 'Add scrape_configs to the configuration, or send samples by remote-write.'}
            </EmptyState>
          </Paper>
        )
      ) : targets.isError ? (
        <ErrorPanel error={targets.error} retry={() => void targets.refetch()} />
      ) : (
        <Skeleton variant="rounded" height={260} aria-label="Loading" />
      )}
    </Page>
  );
}
