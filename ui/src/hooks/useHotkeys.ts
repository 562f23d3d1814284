import { useEffect, useRef } from 'react';

/** Keys to what they do: `j`, `?`, `mod+k`, or two in a row such as `g o`. */
export type Hotkeys = Record<string, (event: KeyboardEvent) => void>;

const SEQUENCE_MS = 1200;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function nameOf(event: KeyboardEvent): string {
  const modified = event.ctrlKey || event.metaKey;
  return modified ? `mod+${event.key.toLowerCase()}` : event.key;
}

function hasOwnEnter(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('a, button, [role="button"]') !== null;
}

function isOverlaid(): boolean {
  return document.querySelector('[role="dialog"], [role="menu"], [role="listbox"]') !== null;
}

/** Listens for keys while mounted; single keys are left alone while typing or under a dialog. */
export function useHotkeys(keys: Hotkeys): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    let first = { key: '', at: 0 };
    const listen = (event: KeyboardEvent) => {
      const name = nameOf(event);
      const modified = name.startsWith('mod+');
      if (event.altKey || event.defaultPrevented) return;
      if (!modified && (isTyping(event.target) || isOverlaid())) return;
      const pair = event.timeStamp - first.at < SEQUENCE_MS ? `${first.key} ${name}` : '';
      if (name === 'Enter' && hasOwnEnter(event.target)) return;
      first = { key: name, at: event.timeStamp };
      const handler = current.current[pair] ?? current.current[name];
      if (!handler) return;
      event.preventDefault();
      handler(event);
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, []);
}
