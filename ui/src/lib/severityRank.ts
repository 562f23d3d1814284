const RANKS: Record<string, number> = { critical: 0, page: 0, error: 1, warning: 2, info: 3 };

/** Returns a severity's place in the order worst first; unknown words come last. */
export function severityRank(severity: string): number {
  return RANKS[severity.toLowerCase()] ?? 4;
}
