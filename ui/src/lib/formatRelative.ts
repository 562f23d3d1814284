import { formatDuration } from './formatDuration';

/** Returns how long ago (or ahead) a moment is, coarsely: `just now`, `5m ago`, `in 2h 10m`. */
export function formatRelative(at: Date, now: Date): string {
  const seconds = (now.getTime() - at.getTime()) / 1000;
  if (Math.abs(seconds) < 2) return 'just now';
  if (seconds < 0) return `in ${formatDuration(-seconds)}`;
  return `${formatDuration(seconds < 60 ? Math.floor(seconds) : Math.floor(seconds / 60) * 60)} ago`;
}
