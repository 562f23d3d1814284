import type { SeriesResult } from '../api/prometheus';

/** Columns as uPlot draws them: times, then one column a series; `null` where there is no sample. */
export type Columns = [times: number[], ...values: (number | null)[][]];

/** Returns all series on one grid of `step` seconds, with gaps left as gaps. */
export function alignSeries(series: SeriesResult[], start: number, end: number, step: number): Columns {
  const length = Math.max(0, Math.floor((end - start) / step + 1e-6) + 1);
  const times = Array.from({ length }, (_, row) => start + row * step);
  const columns = series.map((one) => {
    const column: (number | null)[] = new Array<number | null>(length).fill(null);
    for (const [time, text] of one.values) {
      const row = Math.round((time - start) / step);
      const value = Number(text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : text);
      if (row >= 0 && row < length && Number.isFinite(value)) column[row] = value;
    }
    return column;
  });
  return [times, ...columns];
}
