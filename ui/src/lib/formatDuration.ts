const UNITS: [seconds: number, suffix: string][] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
  [1, 's'],
];

/** Returns seconds as people say them: the two largest units, such as `2h 5m`, `45s`, `120ms`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 0) return `-${formatDuration(-seconds)}`;
  if (seconds < 1) return seconds === 0 ? '0s' : `${Math.max(1, Math.round(seconds * 1000))}ms`;
  let rest = Math.floor(seconds);
  const parts: string[] = [];
  for (const [size, suffix] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${suffix}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}
