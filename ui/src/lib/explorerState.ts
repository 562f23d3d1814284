import { parseDuration } from './parseDuration';

/** Everything the metric explorer shows, as its address carries it. */
export interface ExplorerState {
  queries: string[];
  /** Seconds the range spans. */
  range: number;
  /** End in seconds since the epoch, or `null` for now. */
  end: number | null;
  /** Seconds between points, or `null` to choose by range. */
  step: number | null;
  view: 'graph' | 'table';
  /** Seconds between automatic refreshes; 0 for none. */
  refresh: number;
}

/** Reads the explorer's address: `expr=…&expr=…&range=1h&end=…&step=…&view=…&refresh=…`. */
export function readExplorerState(search: URLSearchParams): ExplorerState {
  const queries = search.getAll('expr');
  const end = Number(search.get('end'));
  return {
    queries: queries.length > 0 ? queries : [''],
    range: parseDuration(search.get('range') ?? '') || 3600,
    end: end > 0 ? end : null,
    step: parseDuration(search.get('step') ?? '') || null,
    view: search.get('view') === 'table' ? 'table' : 'graph',
    refresh: parseDuration(search.get('refresh') ?? '') ?? 0,
  };
}

/** Returns the address of an explorer state, defaults left out. */
export function writeExplorerState(state: ExplorerState): URLSearchParams {
  const search = new URLSearchParams();
  for (const query of state.queries) search.append('expr', query);
  if (state.range !== 3600) search.set('range', `${state.range}s`);
  if (state.end !== null) search.set('end', String(state.end));
  if (state.step !== null) search.set('step', `${state.step}s`);
  if (state.view !== 'graph') search.set('view', state.view);
  if (state.refresh > 0) search.set('refresh', `${state.refresh}s`);
  return search;
}

/** Returns the path that opens `expr` in the explorer. */
export function explorerPath(expr: string, options: Partial<ExplorerState> = {}): string {
  const state = { ...readExplorerState(new URLSearchParams()), queries: [expr], ...options };
  return `/explore?${writeExplorerState(state).toString()}`;
}
