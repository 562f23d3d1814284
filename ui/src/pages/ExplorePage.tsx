import { mdiChartLine, mdiChartTimelineVariant, mdiPlus, mdiTable } from '@mdi/js';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Paper from '@mui/material/Paper';
import Stack from '@mui/material/Stack';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import Typography from '@mui/material/Typography';
import { useEffect, useMemo, useState } from 'react';
import { useSearchParams } from 'react-router-dom';

import { TimeSeriesChart } from '../charts/TimeSeriesChart';
import { EmptyState } from '../components/EmptyState';
import { Legend } from '../components/explore/Legend';
import { QueryRow } from '../components/explore/QueryRow';
import { ResultTable } from '../components/explore/ResultTable';
import { TimeControls } from '../components/explore/TimeControls';
import { useRangeQueries, type Grid, type QueryOutcome } from '../components/explore/useRangeQueries';
import { Icon } from '../components/Icon';
import { Page } from '../components/Page';
import { alignSeries } from '../lib/alignSeries';
import { distinctNames } from '../lib/distinctNames';
import { readExplorerState, writeExplorerState, type ExplorerState } from '../lib/explorerState';
import { seriesName } from '../lib/seriesName';
import { sharedLabels } from '../lib/sharedLabels';
import { toggled } from '../lib/toggled';
import { MONO } from '../theme';

const MAX_DRAWN = 200;
const EXAMPLES = ['up', 'rate(process_cpu_seconds_total[1m])', 'sum by (job) (scrape_samples_scraped)'];

function letterOf(index: number): string {
  return String.fromCharCode(65 + (index % 26));
}

function useDrawn(outcomes: QueryOutcome[], grid: Grid) {
  const results = outcomes.map((outcome) => outcome.series);
  return useMemo(() => {
    const several = results.filter((series) => series.length > 0).length > 1;
    const all = results.flatMap((series, index) => series.map((one) => ({ one, prefix: several ? `${letterOf(index)} ` : '' })));
    const drawn = all.slice(0, MAX_DRAWN);
    const metrics = drawn.map(({ one }) => one.metric);
    return {
      names: distinctNames(metrics).map((name, index) => (drawn[index]?.prefix ?? '') + name),
      shared: seriesName(sharedLabels(metrics)),
      columns: alignSeries(drawn.map(({ one }) => one), grid.start, grid.end, grid.step),
      left: all.length - drawn.length,
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [...results, grid, results.length]);
}

function Graph({ outcomes, grid, zoom }: { outcomes: QueryOutcome[]; grid: Grid; zoom: (from: number, to: number) => void }) {
  const { names, shared, columns, left } = useDrawn(outcomes, grid);
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const shape = names.join('\n');
  useEffect(() => setHidden(new Set()), [shape]);
  const isolate = (index: number) => {
    const others = names.map((_, other) => other).filter((other) => other !== index);
    setHidden(others.every((other) => hidden.has(other)) && !hidden.has(index) ? new Set() : new Set(others));
  };
  if (names.length === 0) {
    const loading = outcomes.some((outcome) => outcome.loading);
    const failed = outcomes.some((outcome) => outcome.error);
    if (failed && !loading) return <EmptyState icon={mdiChartTimelineVariant} title="Nothing to draw">The query above says what is wrong.</EmptyState>;
    return (
      <EmptyState icon={mdiChartTimelineVariant} title={loading ? 'Running…' : 'No series'}>
        {loading ? null : 'The expression gives nothing in this range. Check names and labels, or choose a longer range.'}
      </EmptyState>
    );
  }
  return (
    <>
      <Box sx={{ px: 1, pt: 1 }}>
        <TimeSeriesChart columns={columns} names={names} hidden={hidden} height={380} onSelect={zoom} />
      </Box>
      {left > 0 && (
        <Typography variant="caption" color="warning.main" sx={{ px: 2 }}>
          {left} more series are not drawn: aggregate, or narrow the labels.
        </Typography>
      )}
      <Legend names={names} shared={shared} columns={columns} hidden={hidden} toggle={(index) => setHidden(toggled(hidden, index))} isolate={isolate} />
    </>
  );
}

function Examples({ pick }: { pick: (query: string) => void }) {
  return (
    <EmptyState icon={mdiChartLine} title="Ask the numbers">
      Write a PromQL expression and press Enter, or start from one of these:
      <Stack direction="row" sx={{ mt: 2, gap: 1, flexWrap: 'wrap', justifyContent: 'center' }}>
        {EXAMPLES.map((query) => (
          <Button key={query} variant="outlined" onClick={() => pick(query)} sx={{ fontFamily: MONO }}>
            {query}
          </Button>
        ))}
      </Stack>
    </EmptyState>
  );
}

/** PromQL and charts; the address carries all of it. */
export default function ExplorePage() {
  const [search, setSearch] = useSearchParams();
  const state = useMemo(() => readExplorerState(search), [search]);
  const [drafts, setDrafts] = useState(state.queries);
  useEffect(() => setDrafts(state.queries), [state.queries]);
  const { grid, outcomes, rerun } = useRangeQueries(state);
  const go = (part: Partial<ExplorerState>) => setSearch(writeExplorerState({ ...state, queries: drafts, ...part }));
  const run = () => {
    if (drafts.some((draft, index) => draft !== state.queries[index])) go({});
    else rerun();
  };
  const zoom = (from: number, to: number) => go({ range: Math.max(10, Math.round(to - from)), end: Math.round(to), step: null });
  const asked = state.queries.filter((query) => query.trim() !== '');
  return (
    <Page title="Explore" actions={<TimeControls state={state} change={go} run={run} />}>
      <Stack spacing={1}>
        {drafts.map((draft, index) => (
          <QueryRow
            key={index}
            letter={letterOf(index)}
            draft={draft}
            outcome={outcomes[index]}
            removable={drafts.length > 1}
            autoFocus={index === drafts.length - 1 && draft === ''}
            change={(text) => setDrafts((old) => old.map((one, other) => (other === index ? text : one)))}
            run={run}
            remove={() => go({ queries: drafts.filter((_, other) => other !== index) })}
          />
        ))}
      </Stack>
      <Box sx={{ display: 'flex', alignItems: 'center', my: 1.25 }}>
        <Button startIcon={<Icon path={mdiPlus} />} onClick={() => go({ queries: [...drafts, ''] })}>
          Add query
        </Button>
        <ToggleButtonGroup exclusive size="small" value={state.view} aria-label="View" onChange={(_event, view: ExplorerState['view'] | null) => view && go({ view })} sx={{ ml: 'auto' }}>
          <ToggleButton value="graph">
            <Icon path={mdiChartLine} sx={{ fontSize: 16, mr: 0.75 }} /> Graph
          </ToggleButton>
          <ToggleButton value="table">
            <Icon path={mdiTable} sx={{ fontSize: 16, mr: 0.75 }} /> Table
          </ToggleButton>
        </ToggleButtonGroup>
      </Box>
      <Paper variant="outlined" sx={{ minHeight: 200 }}>
        {asked.length === 0 ? (
          <Examples pick={(query) => go({ queries: [query] })} />
        ) : state.view === 'graph' ? (
          <Graph outcomes={outcomes} grid={grid} zoom={zoom} />
        ) : (
          state.queries.map((query, index) => query.trim() !== '' && <ResultTable key={index} letter={letterOf(index)} query={query} time={grid.end} />)
        )}
      </Paper>
    </Page>
  );
}
