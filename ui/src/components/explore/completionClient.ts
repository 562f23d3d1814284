import type { PrometheusClient } from '@prometheus-io/codemirror-promql';
import { EqlRegex, Neq, NeqRegex } from '@prometheus-io/lezer-promql';

import { get, withParameters } from '../../api/http';

type Matchers = NonNullable<Parameters<PrometheusClient['labelValues']>[2]>;
type Metadata = Awaited<ReturnType<PrometheusClient['metricMetadata']>>;

const LOOKBACK_SECONDS = 12 * 3600;
const KEPT_MS = 60_000;
const OPERATORS = new Map([
  [Neq, '!='],
  [EqlRegex, '=~'],
  [NeqRegex, '!~'],
]);

/** Returns the selector the cursor stands in, without the label being completed. */
function selector(metric = '', matchers: Matchers = [], completing = ''): string | undefined {
  const parts = matchers
    .filter((one) => one.name !== completing && one.value !== '')
    .map((one) => `${one.name}${OPERATORS.get(one.type) ?? '='}"${one.value}"`);
  if (parts.length === 0) return metric || undefined;
  return `${metric}{${parts.join(',')}}`;
}

/** Answers the editor's completion from the server; what fails completes nothing. */
export class CompletionClient implements PrometheusClient {
  private readonly kept = new Map<string, { at: number; answer: Promise<unknown> }>();

  labelNames(metric?: string): Promise<string[]> {
    return this.ask<string[]>('/api/v1/labels', { 'match[]': selector(metric) }, []);
  }

  labelValues(label: string, metric?: string, matchers?: Matchers): Promise<string[]> {
    const path = `/api/v1/label/${encodeURIComponent(label)}/values`;
    return this.ask<string[]>(path, { 'match[]': selector(metric, matchers, label) }, []);
  }

  metricNames(): Promise<string[]> {
    return this.labelValues('__name__');
  }

  metricMetadata(): Promise<Metadata> {
    return this.ask<Metadata>('/api/v1/metadata', {}, {});
  }

  async series(metric: string, matchers?: Matchers): Promise<Map<string, string>[]> {
    const found = await this.ask<Record<string, string>[]>('/api/v1/series', { 'match[]': selector(metric, matchers) }, []);
    return found.map((labels) => new Map(Object.entries(labels)));
  }

  flags(): Promise<Record<string, string>> {
    return Promise.resolve({});
  }

  private ask<T>(path: string, parameters: Record<string, string | undefined>, otherwise: T): Promise<T> {
    const key = withParameters(path, parameters);
    const old = this.kept.get(key);
    if (old && Date.now() - old.at < KEPT_MS) return old.answer as Promise<T>;
    const start = Math.floor(Date.now() / 1000) - LOOKBACK_SECONDS;
    const answer = get<{ data: T }>(withParameters(path, { ...parameters, start })).then(
      (envelope) => envelope.data,
      () => {
        this.kept.delete(key);
        return otherwise;
      },
    );
    this.kept.set(key, { at: Date.now(), answer });
    return answer;
  }
}
