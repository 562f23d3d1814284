import { describe, expect, it } from 'vitest';

import type { Alert, AlertDetail, AlertState } from '../api/alerts';
import type { Incident, IncidentStatus } from '../api/incidents';
import { matchesAlert } from './alertFilter';
import { groupAlerts } from './groupAlerts';
import { byUrgency, matchesIncident } from './incidentFilter';
import { incidentWindow } from './incidentWindow';
import { stageTimes } from './stageTimes';

function alert(rule: string, state: AlertState, severity: string, labels: Record<string, string> = {}): Alert {
  return {
    alert_id: `${rule}-${state}-${severity}`,
    rule,
    group: 'g',
    state,
    severity,
    service: '',
    workflow: '',
    labels,
    annotations: { summary: `${rule} summary` },
    value: '1',
    expr: 'up == 0',
    active_at: null,
    fired_at: null,
    resolved_at: null,
    updated_at: '2026-01-31T12:00:00Z',
    incident_id: null,
  };
}

function incident(number: number, status: IncidentStatus, severity: string): Incident {
  const at = '2026-01-31T12:00:00Z';
  return {
    incident_id: `i${number}`,
    number,
    title: '',
    status,
    severity,
    service: '',
    workflow: '',
    assignee: '',
    opened_at: at,
    acknowledged_at: null,
    acknowledged_by: '',
    resolved_at: status === 'resolved' ? '2026-01-31T13:00:00Z' : null,
    updated_at: at,
    alert_ids: [],
    open_alert_ids: [],
  };
}

describe('groupAlerts', () => {
  it('puts firing rules first, then the more severe, then by name', () => {
    const groups = groupAlerts([alert('D', 'resolved', 'critical'), alert('C', 'pending', 'critical'), alert('B', 'firing', 'warning'), alert('A', 'firing', 'critical')]);
    expect(groups.map((group) => group.rule)).toEqual(['A', 'B', 'C', 'D']);
  });
  it('counts states and takes the worst severity of a rule', () => {
    const [group] = groupAlerts([alert('A', 'firing', 'warning'), alert('A', 'pending', 'critical'), alert('A', 'firing', 'info')]);
    expect(group?.counts).toEqual({ firing: 2, pending: 1, resolved: 0 });
    expect(group?.severity).toBe('critical');
    expect(group?.alerts.map((one) => one.state)).toEqual(['firing', 'firing', 'pending']);
  });
});

describe('matchesAlert', () => {
  const one = alert('Latency', 'firing', 'critical', { service: 'oms', venue: 'XNAS' });
  const filter = { states: [], labels: [] as [string, string][], text: '' };
  it('asks for every label', () => {
    expect(matchesAlert(one, { ...filter, labels: [['service', 'oms'], ['venue', 'XNAS']] })).toBe(true);
    expect(matchesAlert(one, { ...filter, labels: [['service', 'oms'], ['venue', 'XLON']] })).toBe(false);
  });
  it('finds text in rule, labels and annotations, whatever the case', () => {
    expect(matchesAlert(one, { ...filter, text: 'xnas' })).toBe(true);
    expect(matchesAlert(one, { ...filter, text: 'SUMMARY' })).toBe(true);
    expect(matchesAlert(one, { ...filter, text: 'disk' })).toBe(false);
  });
});

describe('incidents', () => {
  it('come with what nobody is on first, then the worst, then the newest', () => {
    const all = [incident(1, 'resolved', 'critical'), incident(2, 'acknowledged', 'critical'), incident(3, 'open', 'warning'), incident(4, 'open', 'critical'), incident(5, 'open', 'critical')];
    expect(all.sort(byUrgency).map((one) => one.number)).toEqual([5, 4, 3, 2, 1]);
  });
  it('are active until resolved', () => {
    const filter = { status: 'active' as const, severity: '' };
    expect([incident(1, 'open', ''), incident(2, 'acknowledged', ''), incident(3, 'resolved', '')].map((one) => matchesIncident(one, filter))).toEqual([true, true, false]);
  });
  it('are looked at from a quarter of an hour before to ten minutes after', () => {
    const opened = Date.parse('2026-01-31T12:00:00Z') / 1000;
    const resolved = opened + 3600;
    expect(incidentWindow(incident(1, 'open', ''), resolved)).toEqual({ start: opened - 900, end: null });
    expect(incidentWindow(incident(1, 'resolved', ''), resolved + 60)).toEqual({ start: opened - 900, end: null });
    expect(incidentWindow(incident(1, 'resolved', ''), resolved + 6000)).toEqual({ start: opened - 900, end: resolved + 600 });
  });
});

describe('stageTimes', () => {
  const at = Date.parse('2026-01-31T12:00:00Z');
  const firing = { id: 'c:1', at: '', recorded_at: new Date(at + 500).toISOString(), type: 'alert.firing', actor: '', text: '', body: { event_ms: at, decided_us: (at + 300) * 1000 } };
  const delivery = { delivery_id: 'd', sink: 's', state: 'succeeded', attempt: 1, started_at: null, finished_at: new Date(at + 900).toISOString(), retry_at: null, possibly_repeated: false, detail: '' };
  const detail = (part: Partial<AlertDetail>): AlertDetail => ({ ...alert('A', 'firing', 'critical'), history: [], obligations: [], deliveries: [], ...part });
  it('tells how long each stage took', () => {
    const stages = stageTimes(detail({ history: [firing], deliveries: [delivery] }));
    expect(stages.map((stage) => [stage.name, stage.afterMs])).toEqual([['event', null], ['decided', 300], ['recorded', 200], ['delivered', 400]]);
  });
  it('takes the last firing, and no delivery from before it', () => {
    const earlier = { ...firing, id: 'c:0', recorded_at: new Date(at - 9000).toISOString(), body: { event_ms: 1 } };
    const old = { ...delivery, finished_at: new Date(at - 8000).toISOString() };
    const stages = stageTimes(detail({ history: [firing, earlier], deliveries: [old] }));
    expect(stages.map((stage) => stage.name)).toEqual(['event', 'decided', 'recorded']);
  });
  it('says nothing of an alert that never fired', () => expect(stageTimes(detail({}))).toEqual([]));
});
