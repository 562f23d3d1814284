function clock(at: Date, seconds: boolean): string {
  return at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: seconds ? '2-digit' : undefined });
}

function day(at: Date): string {
  return at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
}

/** Returns the words for ticks of a time axis (seconds): 24-hour clock, the date below where it changes. */
export function timeTicks(ticks: number[], now: Date = new Date()): string[] {
  const [first = 0, second = first + 60] = ticks;
  const apart = second - first;
  let shown = now.toDateString();
  return ticks.map((tick) => {
    const at = new Date(tick * 1000);
    if (apart >= 86_400) return day(at);
    const changed = at.toDateString() !== shown;
    shown = at.toDateString();
    return changed ? `${clock(at, apart < 60)}\n${day(at)}` : clock(at, apart < 60);
  });
}
