import { formatNumber } from './formatNumber';

export type Unit = 'number' | 'per_second' | 'ratio' | 'seconds';

/** Returns a value in its unit, such as `12.3/s`, `4.2%`, `180ms`. */
export function formatUnit(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return '–';
  switch (unit) {
    case 'per_second':
      return `${formatNumber(Number(value.toPrecision(3)))}/s`;
    case 'ratio':
      return `${formatNumber(Number((value * 100).toPrecision(3)))}%`;
    case 'seconds':
      return inSeconds(value);
    case 'number':
      return formatNumber(value);
  }
}

function inSeconds(value: number): string {
  if (value === 0) return '0s';
  if (value < 1e-3) return `${Number((value * 1e6).toPrecision(3))}µs`;
  if (value < 1) return `${Number((value * 1e3).toPrecision(3))}ms`;
  return `${Number(value.toPrecision(3))}s`;
}
