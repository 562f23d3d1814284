/** Returns the labels that all of several label sets have with the same value; none for fewer than two. */
export function sharedLabels(all: Record<string, string>[]): Record<string, string> {
  const [first] = all;
  if (all.length < 2 || !first) return {};
  return Object.fromEntries(Object.entries(first).filter(([label, value]) => all.every((one) => one[label] === value)));
}
