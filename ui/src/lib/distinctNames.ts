import { seriesName } from './seriesName';

/** Returns short names: only the labels in which the series differ, in full where none differs. */
export function distinctNames(all: Record<string, string>[]): string[] {
  const [first] = all;
  if (all.length < 2 || !first) return all.map(seriesName);
  const labels = new Set(all.flatMap((one) => Object.keys(one)));
  const shared = [...labels].filter((label) => all.every((one) => one[label] === first[label]));
  return all.map((one) => seriesName(Object.fromEntries(Object.entries(one).filter(([label]) => !shared.includes(label)))));
}
