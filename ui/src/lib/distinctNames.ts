import { seriesName } from './seriesName';
import { sharedLabels } from './sharedLabels';

/** Returns short names: only the labels in which the series differ, in full for a single series. */
export function distinctNames(all: Record<string, string>[]): string[] {
  const shared = sharedLabels(all);
  return all.map((one) => seriesName(Object.fromEntries(Object.entries(one).filter(([label]) => shared[label] === undefined))));
}
