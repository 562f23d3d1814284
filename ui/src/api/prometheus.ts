import { get, postForm, withParameters } from './http';

export type Sample = [time: number, value: string];

export interface SeriesResult {
  metric: Record<string, string>;
  values: Sample[];
}

export interface VectorResult {
  metric: Record<string, string>;
  value: Sample;
}

export type QueryData =
  | { resultType: 'matrix'; result: SeriesResult[] }
  | { resultType: 'vector'; result: VectorResult[] }
  | { resultType: 'scalar' | 'string'; result: Sample };

interface Envelope<T> {
  status: 'success' | 'error';
  data: T;
  warnings?: string[];
  infos?: string[];
}

/** What the server has to say about a result, in Prometheus' words. */
export interface Note {
  tone: 'warning' | 'info';
  text: string;
}

export interface RangeAnswer {
  series: SeriesResult[];
  notes: Note[];
}

export interface Rule {
  name: string;
  query: string;
  duration?: number;
  type: 'alerting' | 'recording';
}

export interface RuleGroup {
  name: string;
  file: string;
  interval: number;
  rules: Rule[];
}

/** Evaluates `query` from `start` to `end` (seconds since the epoch) each `step` seconds. */
export async function queryRange(
  query: string,
  start: number,
  end: number,
  step: number,
  signal?: AbortSignal,
): Promise<RangeAnswer> {
  const form = new URLSearchParams({ query, start: String(start), end: String(end), step: String(step) });
  const answer = await postForm<Envelope<{ result: SeriesResult[] }>>('/api/v1/query_range', form, signal);
  return { series: answer.data.result, notes: notesOf(answer) };
}

function notesOf({ warnings = [], infos = [] }: { warnings?: string[]; infos?: string[] }): Note[] {
  return [...warnings.map((text): Note => ({ tone: 'warning', text })), ...infos.map((text): Note => ({ tone: 'info', text }))];
}

/** Evaluates `query` at one moment (seconds since the epoch). */
export async function queryInstant(query: string, time: number, signal?: AbortSignal): Promise<QueryData> {
  const form = new URLSearchParams({ query, time: String(time) });
  return (await postForm<Envelope<QueryData>>('/api/v1/query', form, signal)).data;
}

/** Every rule group the server runs. */
export async function ruleGroups(signal?: AbortSignal): Promise<RuleGroup[]> {
  return (await get<Envelope<{ groups: RuleGroup[] }>>('/api/v1/rules?type=alert', signal)).data.groups;
}

export interface Target {
  discoveredLabels: Record<string, string>;
  labels: Record<string, string>;
  scrapePool: string;
  scrapeUrl: string;
  lastError: string;
  lastScrape: string;
  lastScrapeDuration: number;
  health: 'up' | 'down' | 'unknown';
  scrapeInterval: string;
}

/** Every target that is scraped. */
export async function activeTargets(signal?: AbortSignal): Promise<Target[]> {
  const path = withParameters('/api/v1/targets', { state: 'active' });
  return (await get<Envelope<{ activeTargets: Target[] }>>(path, signal)).data.activeTargets;
}
