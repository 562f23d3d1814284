import { useQuery } from '@tanstack/react-query';

import { get } from './http';

export type Health = 'healthy' | 'degraded' | 'critical' | 'unknown';

export interface ServiceHealth {
  name: string;
  status: Health;
  reason: string;
  instances: { up: number; total: number };
  firing: { alert_id: string; rule: string; severity: string; since: string }[];
  open_incidents: { incident_id: string; number: number; title: string; severity: string }[];
}

export interface WorkflowHealth {
  name: string;
  status: Health;
  reason: string;
  services: ServiceHealth[];
}

export interface RecentChange {
  at: string;
  type: string;
  subject: string;
  text: string;
}

export interface Overview {
  generated_at: string;
  status: Health;
  workflows: WorkflowHealth[];
  recent: RecentChange[];
  open_incidents: number;
  firing_alerts: number;
  /** Why instances could not be counted, if so. */
  problem?: string | null;
}

export const OVERVIEW_KEY = ['overview'] as const;

/** The health of everything watched; asked again each `everyMs`, and at once when a fact arrives. */
export function useOverview(everyMs = 30_000) {
  return useQuery({
    queryKey: OVERVIEW_KEY,
    queryFn: ({ signal }) => get<Overview>('/api/qvmon/v1/overview', signal),
    refetchInterval: everyMs,
  });
}
