import { expect, it } from 'vitest';

import { parseThreshold } from './parseThreshold';

it.each([
  ['up == 0', 'up', '==', 0],
  ['rate(errors[5m]) > 0.05', 'rate(errors[5m])', '>', 0.05],
  ['histogram_quantile(0.95, sum by (le) (rate(x_bucket[1m]))) >= 1e-3', 'histogram_quantile(0.95, sum by (le) (rate(x_bucket[1m])))', '>=', 0.001],
  ['a{b=">"} < -1.5', 'a{b=">"}', '<', -1.5],
  ['a > bool 2', 'a', '>', 2],
])('finds the limit of %s', (expr, left, operator, value) => {
  expect(parseThreshold(expr)).toEqual({ expr: left, operator, value });
});

it.each(['up', 'absent(up)', 'a > b', 'sum(a > 2)', 'a and b > 2', 'a > 1 or b > 2'])('finds none in %s', (expr) => {
  expect(parseThreshold(expr)).toBeNull();
});
