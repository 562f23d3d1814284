import { useCallback, useState } from 'react';

/** A string that the browser remembers under `key`; works without storage, too. */
export function useStored(key: string): [value: string | null, store: (value: string) => void] {
  const [value, setValue] = useState(() => readStored(key));
  const store = useCallback(
    (next: string) => {
      setValue(next);
      try {
        localStorage.setItem(key, next);
      } catch {
        /* storage is blocked: the choice lasts until reload */
      }
    },
    [key],
  );
  return [value, store];
}

function readStored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
