import { useQueries } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';

import { queryRange, type Note, type SeriesResult } from '../../api/prometheus';
import { chooseStep } from '../../lib/chooseStep';
import type { ExplorerState } from '../../lib/explorerState';

export interface Grid {
  start: number;
  end: number;
  step: number;
}

export interface QueryOutcome {
  query: string;
  series: SeriesResult[];
  notes: Note[];
  error: Error | null;
  loading: boolean;
  tookMs: number | null;
}

const POINTS = 400;

/** Returns the grid of an explorer state; one that ends now moves with each `tick`. */
function gridOf(state: ExplorerState): Grid {
  const step = state.step ?? chooseStep(state.range, POINTS);
  const end = Math.floor((state.end ?? Date.now() / 1000) / step) * step;
  return { start: end - Math.floor(state.range / step) * step, end, step };
}

function useTick(everySeconds: number): [tick: number, advance: () => void] {
  const [tick, setTick] = useState(0);
  const advance = () => setTick((old) => old + 1);
  useEffect(() => {
    if (everySeconds <= 0) return undefined;
    const timer = window.setInterval(advance, everySeconds * 1000);
    return () => window.clearInterval(timer);
  }, [everySeconds]);
  return [tick, advance];
}

async function timed(query: string, grid: Grid, signal?: AbortSignal) {
  const began = performance.now();
  const answer = await queryRange(query, grid.start, grid.end, grid.step, signal);
  return { ...answer, tookMs: performance.now() - began };
}

/** Evaluates all queries on one grid; `rerun` asks again up to now. */
export function useRangeQueries(state: ExplorerState): { grid: Grid; outcomes: QueryOutcome[]; rerun: () => void } {
  const [tick, rerun] = useTick(state.end === null ? state.refresh : 0);
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const grid = useMemo(() => gridOf(state), [state.range, state.end, state.step, tick]);
  const answers = useQueries({
    queries: state.queries.map((query) => ({
      queryKey: ['explore', query, grid, tick],
      queryFn: ({ signal }: { signal?: AbortSignal }) => timed(query, grid, signal),
      enabled: query.trim() !== '',
      keepPreviousData: true,
      retry: false,
      staleTime: Infinity,
      cacheTime: 60_000,
    })),
  });
  const outcomes = state.queries.map((query, index): QueryOutcome => {
    const answer = answers[index];
    const asked = query.trim() !== '';
    return {
      query,
      series: asked && !answer?.isError ? (answer?.data?.series ?? []) : [],
      notes: asked && !answer?.isError ? (answer?.data?.notes ?? []) : [],
      error: asked ? ((answer?.error as Error | null) ?? null) : null,
      loading: asked && (answer?.isFetching ?? false),
      tookMs: answer?.data?.tookMs ?? null,
    };
  });
  return { grid, outcomes, rerun };
}
