import { describe, expect, it } from 'vitest';

import { formatDuration } from './formatDuration';
import { formatNumber } from './formatNumber';
import { formatRelative } from './formatRelative';
import { formatUnit } from './formatUnit';
import { formatUtc } from './formatUtc';
import { parseDuration } from './parseDuration';

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [0.12, '120ms'],
    [45, '45s'],
    [3600, '1h'],
    [7505, '2h 5m'],
    [90_061, '1d 1h'],
    [86_400 + 61, '1d'],
    [-60, '-1m'],
    [Infinity, '–'],
  ])('writes %d s as %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));
});

describe('parseDuration', () => {
  it.each([
    ['1h30m', 5400],
    ['15s', 15],
    ['250ms', 0.25],
    ['60', 60],
    ['2w', 1_209_600],
  ])('reads %s as %d s', (text, seconds) => expect(parseDuration(text)).toBe(seconds));
  it.each(['', 'soon', '5 minutes', '-1h'])('refuses %s', (text) => expect(parseDuration(text)).toBeNull());
});

describe('formatNumber', () => {
  it.each([
    [0, '0'],
    [0.73123, '0.7312'],
    [12_345, '12.35k'],
    [-2_500_000, '-2.5M'],
    [0.000012, '1.20e-5'],
    [NaN, 'NaN'],
    [-Infinity, '-Inf'],
  ])('writes %d as %s', (value, text) => expect(formatNumber(value)).toBe(text));
});

describe('formatUnit', () => {
  it('writes each unit as people read it', () => {
    expect(formatUnit(123.456, 'per_second')).toBe('123/s');
    expect(formatUnit(0.0421, 'ratio')).toBe('4.21%');
    expect(formatUnit(0.1804, 'seconds')).toBe('180ms');
    expect(formatUnit(0.0000042, 'seconds')).toBe('4.2µs');
    expect(formatUnit(NaN, 'ratio')).toBe('–');
  });
});

describe('formatRelative', () => {
  const now = new Date('2026-01-31T12:00:00Z');
  it.each([
    ['2026-01-31T11:59:59.5Z', 'just now'],
    ['2026-01-31T11:59:30Z', '30s ago'],
    ['2026-01-31T11:54:30Z', '5m ago'],
    ['2026-01-31T14:10:00Z', 'in 2h 10m'],
  ])('calls %s %s', (at, text) => expect(formatRelative(new Date(at), now)).toBe(text));
});

describe('formatUtc', () => {
  it('writes the moment to the second', () => {
    expect(formatUtc(new Date('2026-01-31T12:00:00.789Z'))).toBe('2026-01-31 12:00:00 UTC');
  });
});
