import Box from '@mui/material/Box';
import Skeleton from '@mui/material/Skeleton';
import Typography from '@mui/material/Typography';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { queryRange } from '../api/prometheus';
import { alignSeries } from '../lib/alignSeries';
import { chooseStep } from '../lib/chooseStep';
import { distinctNames } from '../lib/distinctNames';
import { parseThreshold } from '../lib/parseThreshold';
import type { Mark } from './overlays';
import { TimeSeriesChart } from './TimeSeriesChart';

interface ExpressionChartProps {
  /** An alerting expression; where it ends in a comparison, the left side is drawn with the limit. */
  expr: string;
  /** Seconds since the epoch. `end` null means now, renewed every 15 s. */
  start: number | null;
  end: number | null;
  /** Seconds the chart spans when `start` is null. */
  span?: number;
  height?: number;
  marks?: Mark[];
  /** Only series that carry one of these label sets, where any does. */
  focus?: Record<string, string>[];
  syncKey?: string;
}

const MAX_SERIES = 20;

function carries(metric: Record<string, string>, focus: Record<string, string>): boolean {
  return Object.entries(metric).every(([label, value]) => label === '__name__' || focus[label] === undefined || focus[label] === value);
}

function Message({ text, height }: { text: string; height: number }) {
  return (
    <Box sx={{ height, display: 'grid', placeItems: 'center', textAlign: 'center', px: 2 }}>
      <Typography variant="caption" color="text.secondary">
        {text}
      </Typography>
    </Box>
  );
}

/** What an expression did around a time, with its threshold. */
export function ExpressionChart({ expr, start, end, span = 3600, height = 180, marks, focus, syncKey }: ExpressionChartProps) {
  const threshold = useMemo(() => parseThreshold(expr), [expr]);
  const drawn = threshold?.expr ?? expr;
  const query = useQuery({
    queryKey: ['range', drawn, start, end, span],
    queryFn: async ({ signal }) => {
      const until = end ?? Date.now() / 1000;
      const from = start ?? until - span;
      const step = chooseStep(until - from, 160);
      const grid = { start: Math.floor(from / step) * step, end: Math.floor(until / step) * step, step };
      return { grid, series: (await queryRange(drawn, grid.start, grid.end, step, signal)).series };
    },
    keepPreviousData: true,
    refetchInterval: end === null ? 15_000 : false,
    retry: false,
  });
  const shown = useMemo(() => {
    if (!query.data) return null;
    const { series, grid } = query.data;
    const near = focus ? series.filter((one) => focus.some((labels) => carries(one.metric, labels))) : series;
    const kept = (near.length > 0 ? near : series).slice(0, MAX_SERIES);
    return { names: distinctNames(kept.map((one) => one.metric)), columns: alignSeries(kept, grid.start, grid.end, grid.step) };
  }, [query.data, focus]);
  if (query.isError) return <Message height={height} text={`The chart cannot be drawn: ${(query.error as Error).message}`} />;
  if (!shown) return <Skeleton variant="rounded" height={height} />;
  if (shown.names.length === 0) return <Message height={height} text="The expression had no value in this span." />;
  return <TimeSeriesChart columns={shown.columns} names={shown.names} height={height} threshold={threshold} marks={marks} syncKey={syncKey} />;
}
