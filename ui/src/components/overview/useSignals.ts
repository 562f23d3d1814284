import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';

import { queryRange, type SeriesResult } from '../../api/prometheus';
import { alignSeries, type Columns } from '../../lib/alignSeries';
import { SIGNALS, type Signal } from './signals';

const SPAN = 900;
const STEP = 10;
const REFRESH_MS = 5_000;

interface SignalAnswer {
  start: number;
  end: number;
  series: SeriesResult[];
}

/** What one strip draws of one signal. */
export interface SignalTrace {
  signal: Signal;
  columns: Columns;
  last: number | null;
}

async function ask(signal: Signal, abort?: AbortSignal): Promise<SignalAnswer> {
  const end = Math.floor(Date.now() / 1000 / STEP) * STEP;
  const start = end - SPAN;
  return { start, end, series: (await queryRange(signal.query, start, end, STEP, abort)).series };
}

/** Cuts off the time before the first sample: a young series fills its place, too. */
function withoutLead([times, ...values]: Columns): Columns {
  const first = Math.max(0, values[0]?.findIndex((value) => value !== null) ?? 0);
  return [times.slice(first), ...values.map((column) => column.slice(first))];
}

function traceOf(signal: Signal, answer: SignalAnswer, one: SeriesResult): SignalTrace {
  const columns = withoutLead(alignSeries([one], answer.start, answer.end, STEP));
  const last = columns[1]?.reduce((found: number | null, value) => value ?? found, null) ?? null;
  return { signal, columns, last };
}

/** Names a service's place; as on the server, a job stands in for a missing service label. */
export function placeKey(workflow = '', service = ''): string {
  return `${workflow}/${service}`;
}

/** Returns the traces of every service by `placeKey`; one query a signal for all of them. */
export function useSignals(): Map<string, SignalTrace[]> {
  const answers = useQueries({
    queries: SIGNALS.map((signal) => ({
      queryKey: ['signal', signal.name],
      queryFn: ({ signal: abort }: { signal?: AbortSignal }) => ask(signal, abort),
      refetchInterval: REFRESH_MS,
      retry: false,
    })),
  });
  const stamp = answers.map((answer) => answer.dataUpdatedAt).join();
  return useMemo(() => {
    const traces = new Map<string, SignalTrace[]>();
    answers.forEach(({ data }, index) => {
      const signal = SIGNALS[index];
      if (!data || !signal) return;
      for (const one of data.series) {
        const key = placeKey(one.metric.workflow, one.metric.service || one.metric.job);
        traces.set(key, [...(traces.get(key) ?? []), traceOf(signal, data, one)]);
      }
    });
    return traces;
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [stamp]);
}
