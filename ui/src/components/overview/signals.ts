import type { Unit } from '../../lib/formatUnit';

/** The metrics in which one kind of program tells its traffic, its errors and its latency. */
interface Source {
  requests: string;
  errors: string;
  /** Whether what failed is counted among the errors only. */
  errorsApart?: boolean;
  /** Buckets of a histogram. */
  latency: string;
}

/** One small chart per service: its name, its unit, and one query for all services at once. */
export interface Signal {
  name: string;
  unit: Unit;
  query: string;
}

/** A stream of events lasts as long as somebody listens: its duration says nothing. */
const NOT_STREAMS = 'handler!~".*/events"';

const SOURCES: Source[] = [
  { requests: 'qv_market_data_messages_total', errors: 'qv_market_data_errors_total', latency: 'qv_market_data_processing_seconds_bucket' },
  { requests: 'qv_decision_decisions_total', errors: 'qv_decision_errors_total', errorsApart: true, latency: 'qv_decision_latency_seconds_bucket' },
  { requests: 'qv_execution_orders_total', errors: 'qv_execution_errors_total', latency: 'qv_execution_order_to_ack_seconds_bucket' },
  { requests: 'qv_portfolio_coordinations_total', errors: 'qv_portfolio_errors_total', latency: 'qv_portfolio_coordination_seconds_bucket' },
  {
    requests: `qvmon_api_request_duration_seconds_count{${NOT_STREAMS}}`,
    errors: `qvmon_api_request_duration_seconds_count{${NOT_STREAMS},code=~"5.."}`,
    latency: `qvmon_api_request_duration_seconds_bucket{${NOT_STREAMS}}`,
  },
  { requests: 'http_requests_total', errors: 'http_requests_total{code=~"5.."}', latency: 'http_request_duration_seconds_bucket' },
];

const WINDOW = '1m';

function rate(selector: string, also = ''): string {
  return `sum by (workflow, service, job${also}) (rate(${selector}[${WINDOW}]))`;
}

/** No error series yet means no error, as long as there is traffic. */
function failures({ requests, errors }: Source): string {
  return `(${rate(errors)} or 0 * ${rate(requests)})`;
}

function traffic(source: Source): string {
  return source.errorsApart === true ? `(${rate(source.requests)} + ${failures(source)})` : rate(source.requests);
}

function errorShare(source: Source): string {
  return `${failures(source)} / ${traffic(source)}`;
}

/** A service has one of the sources, so `or` puts all services into one answer. */
function anyOf(query: (source: Source) => string): string {
  return SOURCES.map(query).join(' or ');
}

/** What every service's strip shows; a service that lacks a signal shows a dash. */
export const SIGNALS: Signal[] = [
  { name: 'Traffic', unit: 'per_second', query: anyOf(traffic) },
  { name: 'Errors', unit: 'ratio', query: anyOf(errorShare) },
  { name: 'p95', unit: 'seconds', query: anyOf(({ latency }) => `histogram_quantile(0.95, ${rate(latency, ', le')})`) },
];
