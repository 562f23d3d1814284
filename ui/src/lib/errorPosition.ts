/** Returns the offset in `query` an error message points at (`1:5: parse error: …`), or `null`. */
export function errorPosition(message: string, query: string): number | null {
  const found = /(?:^|\s)(\d+):(\d+)(?::|\s|$)/.exec(message);
  if (!found) return null;
  const line = Number(found[1]);
  const column = Number(found[2]);
  const lines = query.split('\n');
  if (line < 1 || line > lines.length) return null;
  const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  return Math.min(query.length, before + Math.max(0, column - 1));
}
