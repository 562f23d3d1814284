export interface Figures {
  min: number;
  max: number;
  last: number;
}

/** Returns the smallest, largest and last value of a column, or `null` when it has none. */
export function summarise(column: (number | null)[]): Figures | null {
  let figures: Figures | null = null;
  for (const value of column) {
    if (value === null) continue;
    figures = figures
      ? { min: Math.min(figures.min, value), max: Math.max(figures.max, value), last: value }
      : { min: value, max: value, last: value };
  }
  return figures;
}
