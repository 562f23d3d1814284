import type { Unit } from '../../lib/formatUnit';

/** One small chart per service: its name, its unit, and where its numbers may come from. */
export interface Signal {
  name: string;
  unit: Unit;
  /** Tried together (`or`): whichever a service has. Each must carry workflow and service. */
  queries: string[];
}

const BY = 'by (workflow, service)';

/** What every service's strip shows; a service that lacks a signal shows a dash. */
export const SIGNALS: Signal[] = [
  {
    name: 'Requests',
    unit: 'per_second',
    queries: [`sum ${BY} (rate(qv_requests_total[1m]))`, `sum ${BY} (rate(http_requests_total[1m]))`],
  },
  {
    name: 'Errors',
    unit: 'ratio',
    queries: [`sum ${BY} (rate(qv_errors_total[1m])) / sum ${BY} (rate(qv_requests_total[1m]))`],
  },
  {
    name: 'p95',
    unit: 'seconds',
    queries: [
      `histogram_quantile(0.95, sum by (workflow, service, le) (rate(qv_request_duration_seconds_bucket[1m])))`,
    ],
  },
];
