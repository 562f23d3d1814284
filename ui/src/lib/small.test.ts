import { describe, expect, it } from 'vitest';

import { backoffDelay } from './backoffDelay';
import { errorPosition } from './errorPosition';
import { fuzzyScore } from './fuzzyScore';
import { toggled } from './toggled';
import { toneOf } from './toneOf';

describe('errorPosition', () => {
  it('finds line and column in a Prometheus message', () => {
    expect(errorPosition('invalid parameter "query": 1:4: parse error: unexpected end', 'up{')).toBe(3);
    expect(errorPosition('2:3: parse error: bad', 'up +\nfoo(')).toBe(7);
  });
  it('stays inside the query', () => expect(errorPosition('1:99: parse error', 'up')).toBe(2));
  it('finds none where there is none', () => {
    expect(errorPosition('query timed out', 'up')).toBeNull();
    expect(errorPosition('7:1: parse error', 'up')).toBeNull();
    expect(errorPosition('dial 127.0.0.1:9090 refused', 'up')).toBeNull();
  });
});

describe('fuzzyScore', () => {
  it('needs every letter in order', () => {
    expect(fuzzyScore('inc', 'Incidents')).not.toBeNull();
    expect(fuzzyScore('cni', 'Incidents')).toBeNull();
  });
  it('prefers starts of words and runs', () => {
    const score = (text: string) => fuzzyScore('al', text) ?? -Infinity;
    expect(score('Alerts')).toBeGreaterThan(score('Medial'));
    expect(score('Order alerts')).toBeGreaterThan(score('Order available later'));
  });
});

describe('backoffDelay', () => {
  it('grows, stays bounded, and is spread', () => {
    expect(backoffDelay(0, 0)).toBe(250);
    expect(backoffDelay(0, 1)).toBe(500);
    expect(backoffDelay(3, 1)).toBe(4000);
    expect(backoffDelay(50, 1)).toBe(30_000);
  });
});

describe('toggled', () => {
  it('puts in and takes out without touching the original', () => {
    const set = new Set([1]);
    expect([...toggled(set, 2)]).toEqual([1, 2]);
    expect([...toggled(set, 1)]).toEqual([]);
    expect([...set]).toEqual([1]);
  });
});

describe('toneOf', () => {
  it('knows the words of states and severities, whatever the case', () => {
    expect(toneOf('Firing')).toBe('critical');
    expect(toneOf('acknowledged')).toBe('warning');
    expect(toneOf('healthy')).toBe('ok');
    expect(toneOf('sev1')).toBe('unknown');
  });
});
