import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';

import { backoffDelay } from '../lib/backoffDelay';
import { ALERTS_KEY } from './alerts';
import { INCIDENTS_KEY } from './incidents';
import { OVERVIEW_KEY } from './overview';

export interface FactEvent {
  id: string;
  type: string;
  subject: string;
  at: string;
  text: string;
}

export type LiveState = 'connecting' | 'live' | 'lost';

interface Live {
  state: LiveState;
  /** When the stream was last known to work. */
  lastSeen: Date | null;
}

const LiveContext = createContext<Live>({ state: 'connecting', lastSeen: null });
const COALESCE_MS = 250;
const ALL_KEYS = [ALERTS_KEY, INCIDENTS_KEY, OVERVIEW_KEY];

/** Asks again for what a fact of this type can have changed. */
function keysTouchedBy(type: string) {
  if (type.startsWith('alert.')) return ALL_KEYS;
  if (type.startsWith('incident.')) return [INCIDENTS_KEY, OVERVIEW_KEY, ALERTS_KEY];
  if (/^(obligation|notification|delivery)\./.test(type)) return [ALERTS_KEY, INCIDENTS_KEY];
  return [OVERVIEW_KEY];
}

class Refresher {
  private readonly due = new Set<readonly string[]>();
  private timer: number | undefined;

  constructor(private readonly client: QueryClient) {}

  touch(keys: readonly (readonly string[])[]): void {
    keys.forEach((key) => this.due.add(key));
    this.timer ??= window.setTimeout(() => this.flush(), COALESCE_MS);
  }

  stop(): void {
    window.clearTimeout(this.timer);
  }

  private flush(): void {
    this.timer = undefined;
    for (const key of this.due) void this.client.invalidateQueries([...key]);
    this.due.clear();
  }
}

function listen(client: QueryClient, report: (state: LiveState) => void): () => void {
  const refresher = new Refresher(client);
  let source: EventSource | null = null;
  let timer: number | undefined;
  let attempt = 0;

  const connect = () => {
    source = new EventSource('/api/qvmon/v1/events');
    source.onopen = () => {
      if (attempt > 0) refresher.touch(ALL_KEYS); // facts may have been missed meanwhile
      attempt = 0;
      report('live');
    };
    source.addEventListener('fact', (event) => {
      const fact = JSON.parse((event as MessageEvent<string>).data) as FactEvent;
      refresher.touch(keysTouchedBy(fact.type));
    });
    source.addEventListener('missed', () => refresher.touch(ALL_KEYS));
    source.onerror = () => {
      source?.close();
      report('lost');
      timer = window.setTimeout(connect, backoffDelay(attempt));
      attempt += 1;
    };
  };

  connect();
  return () => {
    window.clearTimeout(timer);
    source?.close();
    refresher.stop();
  };
}

/** Keeps the event stream open and the shown data fresh; reconnects with growing pauses. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>('connecting');
  const [lastSeen, setLastSeen] = useState<Date | null>(null);
  useEffect(
    () =>
      listen(client, (next) => {
        setState((before) => {
          if (next === 'live' || before === 'live') setLastSeen(new Date());
          return next;
        });
      }),
    [client],
  );
  const value = useMemo(() => ({ state, lastSeen }), [state, lastSeen]);
  return <LiveContext.Provider value={value}>{children}</LiveContext.Provider>;
}

/** How the event stream is doing. */
export function useLive(): Live {
  return useContext(LiveContext);
}
