import { useQuery } from '@tanstack/react-query';

import { get, withParameters } from './http';

export type AlertState = 'firing' | 'pending' | 'resolved';

export interface Alert {
  alert_id: string;
  rule: string;
  group: string;
  state: AlertState;
  severity: string;
  service: string;
  workflow: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  value: string;
  expr: string;
  active_at: string | null;
  fired_at: string | null;
  resolved_at: string | null;
  updated_at: string;
  incident_id: string | null;
}

/** One fact of an alert's life, as the ledger keeps it. */
export interface HistoryEntry {
  id: string;
  at: string;
  recorded_at: string;
  type: string;
  actor: string;
  text: string;
  body: Record<string, unknown>;
}

export interface Obligation {
  obligation_id: string;
  receiver: string;
  state: string;
  reason: string;
  created_at: string;
  queued_at: string | null;
  settled_at: string | null;
}

export interface DeliveryStatus {
  delivery_id: string;
  sink: string;
  state: string;
  attempt: number;
  started_at: string | null;
  finished_at: string | null;
  retry_at: string | null;
  possibly_repeated: boolean;
  detail: string;
}

export interface AlertDetail extends Alert {
  /** Latest first. */
  history: HistoryEntry[];
  obligations: Obligation[];
  deliveries: DeliveryStatus[];
}

export const ALERTS_KEY = ['alerts'] as const;

/** Every alert the server lists, newest change first; the page filters and groups. */
export function useAlerts() {
  return useQuery({
    queryKey: [...ALERTS_KEY, 'list'],
    queryFn: async ({ signal }) =>
      (await get<{ alerts: Alert[] }>(withParameters('/api/qvmon/v1/alerts', { limit: 1000 }), signal)).alerts,
    refetchInterval: 15_000,
  });
}

/** One alert with its history, obligations and deliveries. */
export function useAlert(alertId: string | null) {
  return useQuery({
    queryKey: [...ALERTS_KEY, 'one', alertId],
    queryFn: ({ signal }) => get<AlertDetail>(`/api/qvmon/v1/alerts/${encodeURIComponent(alertId ?? '')}`, signal),
    enabled: alertId !== null,
  });
}
