import { useEffect, useState } from 'react';

import { useHotkeys } from './useHotkeys';

/** Moves a cursor through `count` rows with j and k; enter opens. -1 means no row. */
export function useRowCursor(count: number, open: (row: number) => void): [row: number, move: (row: number) => void] {
  const [row, setRow] = useState(-1);
  useEffect(() => {
    if (row >= count) setRow(count - 1);
  }, [count, row]);
  useEffect(() => {
    document.querySelector(`[data-row="${row}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [row]);
  useHotkeys({
    j: () => setRow((old) => Math.min(count - 1, old + 1)),
    k: () => setRow((old) => Math.max(0, old - 1)),
    Enter: () => row >= 0 && open(row),
  });
  return [row, setRow];
}
