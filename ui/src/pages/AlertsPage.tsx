import { mdiBellCheckOutline, mdiFilterOffOutline } from '@mdi/js';
import Button from '@mui/material/Button';
import Paper from '@mui/material/Paper';
import Skeleton from '@mui/material/Skeleton';
import Stack from '@mui/material/Stack';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useSearchParams } from 'react-router-dom';

import { useAlerts, type Alert, type AlertState } from '../api/alerts';
import { ruleGroups } from '../api/prometheus';
import { AlertDrawer } from '../components/alerts/AlertDrawer';
import { AlertFilters } from '../components/alerts/AlertFilters';
import { AlertRow } from '../components/alerts/AlertRow';
import { RuleGroupCard } from '../components/alerts/RuleGroupCard';
import { EmptyState } from '../components/EmptyState';
import { ErrorPanel } from '../components/ErrorPanel';
import { Page } from '../components/Page';
import { useRowCursor } from '../hooks/useRowCursor';
import { matchesAlert, readAlertFilter, writeAlertFilter, type AlertFilter } from '../lib/alertFilter';
import { groupAlerts, type AlertGroup } from '../lib/groupAlerts';
import { toggled } from '../lib/toggled';

/** Returns how long each rule's condition must hold, by `group/rule`. */
function useHoldTimes(): Map<string, number> {
  const groups = useQuery({ queryKey: ['rules'], queryFn: ({ signal }) => ruleGroups(signal), staleTime: 60_000, retry: false });
  return useMemo(
    () => new Map((groups.data ?? []).flatMap((group) => group.rules.map((rule): [string, number] => [`${group.name}/${rule.name}`, rule.duration ?? 0]))),
    [groups.data],
  );
}

/** More would make the page slow where a rule has thousands of alerts. */
const SHOWN_PER_RULE = 30;

function keyOf(group: AlertGroup): string {
  return `${group.group}/${group.rule}`;
}

function countStates(alerts: Alert[]): Record<AlertState, number> {
  const counts: Record<AlertState, number> = { firing: 0, pending: 0, resolved: 0 };
  for (const alert of alerts) counts[alert.state] += 1;
  return counts;
}

function AlertList({ alerts, filter, change, open }: { alerts: Alert[]; filter: AlertFilter; change: (filter: AlertFilter) => void; open: (id: string) => void }) {
  const holdTimes = useHoldTimes();
  const groups = useMemo(() => groupAlerts(alerts), [alerts]);
  const [whole, setWhole] = useState<ReadonlySet<string>>(new Set());
  const shownOf = (group: AlertGroup) => (whole.has(keyOf(group)) ? group.alerts : group.alerts.slice(0, SHOWN_PER_RULE));
  const inOrder = groups.flatMap(shownOf);
  const rowOf = new Map(inOrder.map((alert, row) => [alert.alert_id, row]));
  const [cursor] = useRowCursor(inOrder.length, (row) => open(inOrder[row]?.alert_id ?? ''));
  const pick = (name: string, value: string) => {
    if (!filter.labels.some(([other, one]) => other === name && one === value)) change({ ...filter, labels: [...filter.labels, [name, value]] });
  };
  return (
    <Stack spacing={1.5}>
      {groups.map((group) => (
        <RuleGroupCard key={keyOf(group)} group={group}>
          {shownOf(group).map((alert) => (
            <AlertRow
              key={alert.alert_id}
              alert={alert}
              row={rowOf.get(alert.alert_id) ?? -1}
              selected={rowOf.get(alert.alert_id) === cursor}
              holdSeconds={holdTimes.get(`${alert.group}/${alert.rule}`) ?? 0}
              open={() => open(alert.alert_id)}
              pick={pick}
            />
          ))}
          {shownOf(group).length < group.alerts.length && (
            <Button fullWidth onClick={() => setWhole(toggled(whole, keyOf(group)))} sx={{ borderRadius: 0, borderTop: 1, borderColor: 'divider' }}>
              Show all {group.alerts.length}
            </Button>
          )}
        </RuleGroupCard>
      ))}
    </Stack>
  );
}

function NothingHere({ any, clear }: { any: boolean; clear: () => void }) {
  return (
    <Paper variant="outlined">
      {any ? (
        <EmptyState icon={mdiFilterOffOutline} title="No alert passes the filter">
          <Button onClick={clear} sx={{ mt: 1 }}>
            Clear the filter
          </Button>
        </EmptyState>
      ) : (
        <EmptyState icon={mdiBellCheckOutline} title="Nothing fires, nothing is pending" calm>
          Rules are evaluated all the time; what they find stands here at once.
        </EmptyState>
      )}
    </Paper>
  );
}

/** What fires, what is about to, what was. */
export default function AlertsPage() {
  const alerts = useAlerts();
  const [search, setSearch] = useSearchParams();
  const filter = readAlertFilter(search);
  const opened = search.get('alert');
  const address = (next: AlertFilter, alert: string | null) => {
    const written = writeAlertFilter(next);
    if (alert) written.set('alert', alert);
    return written;
  };
  const change = (next: AlertFilter) => setSearch(address(next, opened), { replace: true });
  const matching = (alerts.data ?? []).filter((alert) => matchesAlert(alert, filter));
  const shown = matching.filter((alert) => filter.states.includes(alert.state));
  const filtered = filter.labels.length > 0 || filter.text !== '' || !filter.states.includes('firing');
  return (
    <Page title="Alerts">
      <AlertFilters filter={filter} counts={countStates(matching)} change={change} />
      {alerts.data ? (
        shown.length > 0 ? (
          <AlertList alerts={shown} filter={filter} change={change} open={(id) => setSearch(address(filter, id))} />
        ) : (
          <NothingHere any={filtered} clear={() => setSearch(new URLSearchParams())} />
        )
      ) : alerts.isError ? (
        <ErrorPanel error={alerts.error} retry={() => void alerts.refetch()} />
      ) : (
        <Stack spacing={1.5} aria-label="Loading">
          <Skeleton variant="rounded" height={120} />
          <Skeleton variant="rounded" height={120} />
        </Stack>
      )}
      <AlertDrawer alertId={opened} close={() => setSearch(address(filter, null))} />
    </Page>
  );
}
