import { describe, expect, it } from 'vitest';

import { readAlertFilter, writeAlertFilter } from './alertFilter';
import { explorerPath, readExplorerState, writeExplorerState } from './explorerState';
import { readIncidentFilter, writeIncidentFilter } from './incidentFilter';
import { safeHref } from './safeHref';
import { subjectPath } from './subjectPath';

describe('the alerts address', () => {
  it('shows what is active by default', () => {
    expect(readAlertFilter(new URLSearchParams())).toEqual({ states: ['firing', 'pending'], labels: [], text: '' });
  });
  it('comes back as it was written', () => {
    const filter = { states: ['resolved' as const], labels: [['service', 'a=b'] as [string, string], ['venue', ''] as [string, string]], text: 'oms' };
    expect(readAlertFilter(writeAlertFilter(filter))).toEqual(filter);
  });
  it('has a short word for all states', () => {
    const all = readAlertFilter(new URLSearchParams('state=all'));
    expect(all.states).toEqual(['firing', 'pending', 'resolved']);
    expect(writeAlertFilter(all).get('state')).toBe('all');
  });
  it('may show no state at all', () => {
    expect(readAlertFilter(writeAlertFilter({ states: [], labels: [], text: '' })).states).toEqual([]);
  });
});

describe('the incidents address', () => {
  it('comes back as it was written', () => {
    const filter = { status: 'all' as const, severity: 'critical' };
    expect(readIncidentFilter(writeIncidentFilter(filter))).toEqual(filter);
  });
  it('falls back to active incidents for a word it does not know', () => {
    expect(readIncidentFilter(new URLSearchParams('status=lost')).status).toBe('active');
  });
});

describe('the explorer address', () => {
  it('comes back as it was written', () => {
    const state = { queries: ['up', 'a{b="c&d"}'], range: 900, end: 1_700_000_000, step: 15, view: 'table' as const, refresh: 5 };
    expect(readExplorerState(writeExplorerState(state))).toEqual(state);
  });
  it('takes durations as people write them', () => {
    expect(readExplorerState(new URLSearchParams('expr=up&range=2h&step=1m')).range).toBe(7200);
  });
  it('is not misled by nonsense', () => {
    const state = readExplorerState(new URLSearchParams('range=long&step=0&end=x&view=pie'));
    expect(state).toEqual({ queries: [''], range: 3600, end: null, step: null, view: 'graph', refresh: 0 });
  });
  it('opens an expression', () => {
    expect(explorerPath('up == 0')).toBe('/explore?expr=up+%3D%3D+0');
  });
});

describe('links', () => {
  it('leads from a subject to its page', () => {
    expect(subjectPath('incident/i1')).toBe('/incidents/i1');
    expect(subjectPath('alert/a 1')).toBe('/alerts?alert=a%201');
    expect(subjectPath('user/ada')).toBeNull();
    expect(subjectPath('nonsense')).toBeNull();
  });
  it.each(['https://runbooks.example/a', 'http://x', '/runbooks/a'])('follows %s', (address) => expect(safeHref(address)).toBe(address));
  it.each(['javascript:alert(1)', 'data:text/html,x', '//elsewhere', '', undefined])('does not follow %s', (address) => expect(safeHref(address)).toBeNull());
});
