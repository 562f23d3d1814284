import type { Incident, IncidentStatus } from '../api/incidents';
import { severityRank } from './severityRank';

/** What the incidents page shows, as its address carries it. */
export interface IncidentFilter {
  status: 'active' | 'all' | IncidentStatus;
  severity: string;
}

const STATUSES = ['active', 'all', 'open', 'acknowledged', 'resolved'] as const;

/** Reads a filter from an address: `status=…&severity=…`. */
export function readIncidentFilter(search: URLSearchParams): IncidentFilter {
  const status = STATUSES.find((one) => one === search.get('status')) ?? 'active';
  return { status, severity: search.get('severity') ?? '' };
}

/** Returns the address of a filter, defaults left out. */
export function writeIncidentFilter(filter: IncidentFilter): URLSearchParams {
  const search = new URLSearchParams();
  if (filter.status !== 'active') search.set('status', filter.status);
  if (filter.severity) search.set('severity', filter.severity);
  return search;
}

/** Returns whether an incident passes the filter. */
export function matchesIncident(incident: Incident, filter: IncidentFilter): boolean {
  if (filter.severity && incident.severity !== filter.severity) return false;
  if (filter.status === 'all') return true;
  return filter.status === 'active' ? incident.status !== 'resolved' : incident.status === filter.status;
}

const ORDER: IncidentStatus[] = ['open', 'acknowledged', 'resolved'];

/** Orders incidents: those nobody is on first, then by severity, then the newest. */
export function byUrgency(left: Incident, right: Incident): number {
  return (
    ORDER.indexOf(left.status) - ORDER.indexOf(right.status) ||
    (left.status === 'resolved' ? 0 : severityRank(left.severity) - severityRank(right.severity)) ||
    right.number - left.number
  );
}
