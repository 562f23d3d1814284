import type { Alert, AlertState } from '../api/alerts';

/** What the alerts page shows, as its address carries it. */
export interface AlertFilter {
  states: AlertState[];
  labels: [name: string, value: string][];
  text: string;
}

const STATES: AlertState[] = ['firing', 'pending', 'resolved'];

/** Reads a filter from an address: `state=firing,pending&label=service=oms&q=…`; `state=all` is short for all. */
export function readAlertFilter(search: URLSearchParams): AlertFilter {
  const given = search.get('state') ?? 'firing,pending';
  const wanted = given === 'all' ? STATES : given.split(',');
  const labels = search.getAll('label').flatMap((pair): [string, string][] => {
    const at = pair.indexOf('=');
    return at > 0 ? [[pair.slice(0, at), pair.slice(at + 1)]] : [];
  });
  return { states: STATES.filter((state) => (wanted as string[]).includes(state)), labels, text: search.get('q') ?? '' };
}

/** Returns the address of a filter; the default states are left out. */
export function writeAlertFilter(filter: AlertFilter): URLSearchParams {
  const search = new URLSearchParams();
  const states = filter.states.length === STATES.length ? 'all' : filter.states.join(',');
  if (states !== 'firing,pending') search.set('state', states);
  for (const [name, value] of filter.labels) search.append('label', `${name}=${value}`);
  if (filter.text) search.set('q', filter.text);
  return search;
}

/** Returns whether an alert passes labels and text (states are counted apart). */
export function matchesAlert(alert: Alert, filter: AlertFilter): boolean {
  if (!filter.labels.every(([name, value]) => alert.labels[name] === value)) return false;
  if (!filter.text) return true;
  const haystack = [alert.rule, alert.group, ...Object.values(alert.labels), ...Object.values(alert.annotations)];
  return haystack.join('\n').toLowerCase().includes(filter.text.toLowerCase());
}
