import { describe, expect, it } from 'vitest';

import { alignSeries } from './alignSeries';
import { chooseStep } from './chooseStep';
import { distinctNames } from './distinctNames';
import { seriesName } from './seriesName';
import { summarise } from './summarise';
import { timeTicks } from './timeTicks';

describe('alignSeries', () => {
  it('puts every sample on its row and leaves gaps as gaps', () => {
    const series = [
      { metric: { a: '1' }, values: [[100, '1'], [120, '3']] as [number, string][] },
      { metric: { a: '2' }, values: [[110, '2.5'], [120, 'NaN']] as [number, string][] },
    ];
    expect(alignSeries(series, 100, 120, 10)).toEqual([
      [100, 110, 120],
      [1, null, 3],
      [null, 2.5, null],
    ]);
  });
  it('drops what lies outside the range', () => {
    const series = [{ metric: {}, values: [[90, '1'], [100, '2'], [140, '3']] as [number, string][] }];
    expect(alignSeries(series, 100, 110, 10)).toEqual([[100, 110], [2, null]]);
  });
});

describe('chooseStep', () => {
  it('chooses a round step with about as many points as asked', () => {
    expect(chooseStep(3600)).toBe(15);
    expect(chooseStep(60)).toBe(1);
    expect(chooseStep(30 * 86_400)).toBe(21_600);
    expect(chooseStep(3_650 * 86_400)).toBe(15 * 86_400);
  });
});

describe('seriesName', () => {
  it('prints a series as Prometheus does, labels sorted and quoted', () => {
    expect(seriesName({ __name__: 'up', job: 'a"b', instance: 'x' })).toBe('up{instance="x", job="a\\"b"}');
    expect(seriesName({ __name__: 'up' })).toBe('up');
    expect(seriesName({})).toBe('{}');
  });
});

describe('distinctNames', () => {
  it('keeps only the labels in which series differ', () => {
    const names = distinctNames([
      { __name__: 'up', job: 'node', instance: 'a' },
      { __name__: 'up', job: 'node', instance: 'b' },
    ]);
    expect(names).toEqual(['{instance="a"}', '{instance="b"}']);
  });
  it('names a single series in full', () => {
    expect(distinctNames([{ __name__: 'up', job: 'node' }])).toEqual(['up{job="node"}']);
  });
  it('keeps a label that only one series has', () => {
    expect(distinctNames([{ job: 'x' }, { job: 'x', venue: 'XNAS' }])).toEqual(['{}', '{venue="XNAS"}']);
  });
});

describe('summarise', () => {
  it('finds the smallest, largest and last value', () => {
    expect(summarise([null, 3, 1, 2, null])).toEqual({ min: 1, max: 3, last: 2 });
  });
  it('has nothing to say about an empty column', () => {
    expect(summarise([null, null])).toBeNull();
  });
});

describe('timeTicks', () => {
  const at = (text: string) => new Date(text).getTime() / 1000;
  it('leaves the date out for today', () => {
    expect(timeTicks([at('2026-01-31T11:00:00'), at('2026-01-31T12:00:00')], new Date('2026-01-31T12:30:00'))).toEqual(['11:00', '12:00']);
  });
  it('writes the date where the day changes', () => {
    const ticks = [at('2026-01-30T23:00:00'), at('2026-01-31T00:00:00'), at('2026-01-31T01:00:00')];
    expect(timeTicks(ticks, new Date('2026-01-31T12:30:00'))).toEqual(['23:00\n30 Jan', '00:00\n31 Jan', '01:00']);
  });
  it('writes seconds where ticks are less than a minute apart', () => {
    expect(timeTicks([at('2026-01-31T11:00:00'), at('2026-01-31T11:00:15')], new Date('2026-01-31T12:30:00'))).toEqual(['11:00:00', '11:00:15']);
  });
});
