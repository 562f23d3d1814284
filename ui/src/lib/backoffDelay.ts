/** Returns the milliseconds to wait before reconnection `attempt` (0 for the first), with jitter. */
export function backoffDelay(attempt: number, random: number = Math.random()): number {
  const ceiling = Math.min(30_000, 500 * 2 ** Math.min(attempt, 10));
  return ceiling / 2 + (ceiling / 2) * random;
}
