import type { AlertDetail } from '../api/alerts';

export interface Stage {
  name: string;
  at: string;
  /** Milliseconds since the stage before it; `null` for the first. */
  afterMs: number | null;
}

function fromMicros(value: unknown): string | null {
  return typeof value === 'number' && value > 0 ? new Date(value / 1000).toISOString() : null;
}

function fromMillis(value: unknown): string | null {
  return typeof value === 'number' && value > 0 ? new Date(value).toISOString() : null;
}

/** Returns the stages of an alert's latest firing: event, decided, recorded, delivered. */
export function stageTimes(alert: AlertDetail): Stage[] {
  const firing = alert.history.filter((fact) => fact.type === 'alert.firing').sort((left, right) => left.recorded_at.localeCompare(right.recorded_at)).at(-1);
  if (!firing) return [];
  const since = new Date(firing.recorded_at).getTime();
  const delivered = alert.deliveries
    .filter((delivery) => delivery.finished_at && /succeeded|delivered/.test(delivery.state))
    .map((delivery) => delivery.finished_at ?? '')
    .filter((at) => new Date(at).getTime() >= since)
    .sort()[0];
  const named: [string, string | null][] = [
    ['event', fromMillis(firing.body.event_ms)],
    ['decided', fromMicros(firing.body.decided_us)],
    ['recorded', firing.recorded_at],
    ['delivered', delivered ?? null],
  ];
  const known = named.filter((one): one is [string, string] => one[1] !== null);
  return known.map(([name, at], index) => {
    const before = known[index - 1];
    return { name, at, afterMs: before ? new Date(at).getTime() - new Date(before[1]).getTime() : null };
  });
}
