import type { Tone } from '../theme';

const TONES: Record<string, Tone> = {
  critical: 'critical',
  page: 'critical',
  error: 'critical',
  firing: 'critical',
  dead: 'critical',
  down: 'critical',
  open: 'critical',
  warning: 'warning',
  degraded: 'warning',
  pending: 'warning',
  failed: 'warning',
  acknowledged: 'warning',
  info: 'info',
  queued: 'info',
  healthy: 'ok',
  resolved: 'ok',
  delivered: 'ok',
  succeeded: 'ok',
  up: 'ok',
};

/** Returns the tone in which a severity, state or status word is shown. */
export function toneOf(word: string): Tone {
  return TONES[word.toLowerCase()] ?? 'unknown';
}
