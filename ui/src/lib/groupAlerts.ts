import type { Alert, AlertState } from '../api/alerts';
import { severityRank } from './severityRank';

export interface AlertGroup {
  rule: string;
  group: string;
  severity: string;
  counts: Record<AlertState, number>;
  alerts: Alert[];
}

const STATES: AlertState[] = ['firing', 'pending', 'resolved'];

function byState(left: Alert, right: Alert): number {
  const order = STATES.indexOf(left.state) - STATES.indexOf(right.state);
  return order !== 0 ? order : right.updated_at.localeCompare(left.updated_at);
}

function worst(alerts: Alert[]): string {
  return alerts.map((alert) => alert.severity).sort((a, b) => severityRank(a) - severityRank(b))[0] ?? '';
}

function toGroup(alerts: Alert[]): AlertGroup {
  const counts: Record<AlertState, number> = { firing: 0, pending: 0, resolved: 0 };
  for (const alert of alerts) counts[alert.state] += 1;
  const sorted = [...alerts].sort(byState);
  return { rule: sorted[0]?.rule ?? '', group: sorted[0]?.group ?? '', severity: worst(alerts), counts, alerts: sorted };
}

function byUrgency(left: AlertGroup, right: AlertGroup): number {
  const state = (group: AlertGroup) => STATES.findIndex((one) => group.counts[one] > 0);
  return (
    state(left) - state(right) ||
    severityRank(left.severity) - severityRank(right.severity) ||
    left.rule.localeCompare(right.rule)
  );
}

/** Returns alerts grouped by rule, the most urgent rule and the most urgent alert first. */
export function groupAlerts(alerts: Alert[]): AlertGroup[] {
  const rules = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const key = `${alert.group}\u0000${alert.rule}`;
    rules.set(key, [...(rules.get(key) ?? []), alert]);
  }
  return [...rules.values()].map(toGroup).sort(byUrgency);
}
