import type { Incident } from '../api/incidents';

const BEFORE = 15 * 60;
const AFTER = 10 * 60;

/** Returns the span worth looking at: from a quarter of an hour before, until after the end or now. */
export function incidentWindow(incident: Incident, nowSeconds = Date.now() / 1000): { start: number; end: number | null } {
  const start = Date.parse(incident.opened_at) / 1000 - BEFORE;
  if (!incident.resolved_at) return { start, end: null };
  const end = Date.parse(incident.resolved_at) / 1000 + AFTER;
  return { start, end: end < nowSeconds ? end : null };
}
