import Tooltip from '@mui/material/Tooltip';

import { useNow } from '../hooks/useNow';
import { formatRelative } from '../lib/formatRelative';
import { formatTime } from '../lib/formatTime';
import { formatUtc } from '../lib/formatUtc';

interface TimeProps {
  at: string | null | undefined;
  /** `relative` (default), `absolute`, or `both`. */
  show?: 'relative' | 'absolute' | 'both';
}

/** A moment in the viewer's own zone; UTC when pointed at. */
export function Time({ at, show = 'relative' }: TimeProps) {
  const now = useNow(show === 'absolute' ? 3_600_000 : 5_000);
  if (!at) return <>–</>;
  const moment = new Date(at);
  const absolute = formatTime(moment, now);
  const relative = formatRelative(moment, now);
  const text = { relative, absolute, both: `${absolute} · ${relative}` }[show];
  const hover = show === 'relative' ? `${absolute} local · ${formatUtc(moment)}` : formatUtc(moment);
  return (
    <Tooltip title={hover}>
      <time dateTime={at} style={{ fontVariantNumeric: 'tabular-nums', whiteSpace: 'nowrap' }}>
        {text}
      </time>
    </Tooltip>
  );
}
