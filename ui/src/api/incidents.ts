import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import type { Alert, HistoryEntry } from './alerts';
import { act, get, withParameters } from './http';
import { OVERVIEW_KEY } from './overview';

export type IncidentStatus = 'open' | 'acknowledged' | 'resolved';

export interface Incident {
  incident_id: string;
  number: number;
  title: string;
  status: IncidentStatus;
  severity: string;
  service: string;
  workflow: string;
  assignee: string | null;
  opened_at: string;
  acknowledged_at: string | null;
  /** Who acknowledged it; empty while nobody has. */
  acknowledged_by: string;
  resolved_at: string | null;
  updated_at: string;
  alert_ids: string[];
  open_alert_ids: string[];
}

export interface IncidentDetail extends Incident {
  alerts: Alert[];
}

/** What a person can do to an incident, with what the server wants to hear. */
export type IncidentAction =
  | { verb: 'acknowledge'; body: { note: string } }
  | { verb: 'assign'; body: { assignee: string } }
  | { verb: 'comment'; body: { text: string } }
  | { verb: 'severity'; body: { severity: string; reason: string } }
  | { verb: 'resolve'; body: { note: string } }
  | { verb: 'reopen'; body: { reason: string } };

export const INCIDENTS_KEY = ['incidents'] as const;
const PATH = '/api/qvmon/v1/incidents';

export function useIncidents() {
  return useQuery({
    queryKey: [...INCIDENTS_KEY, 'list'],
    queryFn: async ({ signal }) =>
      (await get<{ incidents: Incident[] }>(withParameters(PATH, { limit: 500 }), signal)).incidents,
    refetchInterval: 15_000,
  });
}

export function useIncident(id: string) {
  return useQuery({
    queryKey: [...INCIDENTS_KEY, 'one', id],
    queryFn: ({ signal }) => get<IncidentDetail>(`${PATH}/${encodeURIComponent(id)}`, signal),
    refetchInterval: 15_000,
  });
}

export function useTimeline(id: string) {
  return useQuery({
    queryKey: [...INCIDENTS_KEY, 'timeline', id],
    queryFn: async ({ signal }) =>
      (await get<{ entries: HistoryEntry[] }>(`${PATH}/${encodeURIComponent(id)}/timeline`, signal)).entries,
    refetchInterval: 15_000,
  });
}

function expected(incident: IncidentDetail, action: IncidentAction): IncidentDetail {
  const now = new Date().toISOString();
  switch (action.verb) {
    case 'acknowledge':
      return { ...incident, status: 'acknowledged', acknowledged_at: now };
    case 'assign':
      return { ...incident, assignee: action.body.assignee };
    case 'severity':
      return { ...incident, severity: action.body.severity };
    case 'resolve':
      return { ...incident, status: 'resolved', resolved_at: now };
    case 'reopen':
      return { ...incident, status: 'open', resolved_at: null };
    case 'comment':
      return incident;
  }
}

/** Acts on an incident: shows the expected outcome at once, takes it back when the server refuses. */
export function useIncidentAction(id: string) {
  const client = useQueryClient();
  const key = [...INCIDENTS_KEY, 'one', id];
  return useMutation({
    mutationFn: (action: IncidentAction) =>
      act<unknown>('POST', `${PATH}/${encodeURIComponent(id)}/${action.verb}`, action.body),
    onMutate: async (action) => {
      await client.cancelQueries(key);
      const before = client.getQueryData<IncidentDetail>(key);
      if (before) client.setQueryData(key, expected(before, action));
      return { before };
    },
    onError: (_error, _action, context) => {
      if (context?.before) client.setQueryData(key, context.before);
    },
    onSettled: () => {
      void client.invalidateQueries(INCIDENTS_KEY);
      void client.invalidateQueries(OVERVIEW_KEY);
    },
  });
}
