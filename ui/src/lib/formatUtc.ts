/** Returns a moment in UTC, to the second, as `2026-01-31 12:00:00 UTC`. */
export function formatUtc(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
