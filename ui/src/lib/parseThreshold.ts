export interface Threshold {
  /** The expression without the comparison: what is worth drawing. */
  expr: string;
  operator: string;
  value: number;
}

const ENDING = /^([\s\S]*\S)\s*(>=|<=|==|!=|>|<)\s*(?:bool\s+)?([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)\s*$/i;

function balanced(text: string): boolean {
  let depth = 0;
  for (const symbol of text.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`/g, '')) {
    if ('({['.includes(symbol)) depth += 1;
    if (')}]'.includes(symbol)) depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

/** Returns the number an alerting expression compares with at its end, or `null`. */
export function parseThreshold(expr: string): Threshold | null {
  const found = ENDING.exec(expr);
  if (!found) return null;
  const [, left = '', operator = '', number = ''] = found;
  if (!balanced(left) || /\b(and|or|unless)\b/i.test(left.replace(/\([\s\S]*\)/g, ''))) return null;
  return { expr: left, operator, value: Number(number) };
}
