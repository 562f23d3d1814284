/** Returns how well `query`'s letters occur in order in `text` (higher is better), or `null`. */
export function fuzzyScore(query: string, text: string): number | null {
  const wanted = query.toLowerCase().replace(/\s+/g, '');
  const inside = text.toLowerCase();
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    const next = inside.indexOf(letter, at + 1);
    if (next < 0) return null;
    const startsWord = next === 0 || /[\s/_\-.]/.test(inside[next - 1] ?? '');
    score += (next === at + 1 ? 3 : 0) + (startsWord ? 4 : 0) - Math.min(3, next - at - 1) * 0.2;
    at = next;
  }
  return score - inside.length * 0.01;
}
