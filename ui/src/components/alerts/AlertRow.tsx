import Box from '@mui/material/Box';
import ButtonBase from '@mui/material/ButtonBase';
import LinearProgress from '@mui/material/LinearProgress';
import Typography from '@mui/material/Typography';

import type { Alert } from '../../api/alerts';
import { useNow } from '../../hooks/useNow';
import { formatDuration } from '../../lib/formatDuration';
import { formatNumber } from '../../lib/formatNumber';
import { MONO } from '../../theme';
import { LabelChips } from '../LabelChips';
import { Time } from '../Time';
import { ToneChip } from '../ToneChip';

interface AlertRowProps {
  alert: Alert;
  row: number;
  selected: boolean;
  /** Seconds the rule's condition must hold; 0 when not known. */
  holdSeconds: number;
  open: () => void;
  pick: (name: string, value: string) => void;
}

/** Labels every alert of a group shares, or that have their own place. */
const HIDDEN = ['alertname', 'severity'];

function ForProgress({ alert, holdSeconds }: { alert: Alert; holdSeconds: number }) {
  const now = useNow(1000);
  const held = alert.active_at ? (now.getTime() - new Date(alert.active_at).getTime()) / 1000 : 0;
  const share = Math.min(100, Math.max(0, (held / holdSeconds) * 100));
  const left = Math.max(0, holdSeconds - held);
  return (
    <Box sx={{ width: 130 }}>
      <Typography variant="caption" color="text.secondary" sx={{ fontVariantNumeric: 'tabular-nums' }}>
        {left > 0 ? `fires in ${formatDuration(Math.ceil(left))}` : 'about to fire'}
      </Typography>
      <LinearProgress variant="determinate" value={share} color="warning" aria-label="Share of the hold time" sx={{ height: 4, borderRadius: 2 }} />
    </Box>
  );
}

function Since({ alert, holdSeconds }: { alert: Alert; holdSeconds: number }) {
  if (alert.state === 'pending' && holdSeconds > 0) return <ForProgress alert={alert} holdSeconds={holdSeconds} />;
  const at = { firing: alert.fired_at, pending: alert.active_at, resolved: alert.resolved_at }[alert.state];
  return (
    <Typography variant="body2" color="text.secondary" component="span">
      <Time at={at ?? alert.updated_at} />
    </Typography>
  );
}

/** One alert in its group; a click anywhere on it, or its summary's button, opens it. */
export function AlertRow({ alert, row, selected, holdSeconds, open, pick }: AlertRowProps) {
  const value = Number(alert.value);
  return (
    <Box
      data-row={row}
      data-testid="alert"
      data-state={alert.state}
      data-alert-id={alert.alert_id}
      aria-current={selected || undefined}
      onClick={open}
      sx={{
        display: 'grid',
        gridTemplateColumns: { xs: '84px minmax(0, 1fr)', md: '84px minmax(0, 1fr) 92px 140px' },
        alignItems: 'center',
        columnGap: 2,
        rowGap: 0.5,
        px: 2,
        py: 0.875,
        borderTop: 1,
        borderColor: 'divider',
        cursor: 'pointer',
        boxShadow: selected ? (theme) => `inset 2px 0 0 ${theme.palette.primary.main}` : 'none',
        bgcolor: selected ? 'surface.hover' : undefined,
        '&:hover': { bgcolor: 'surface.hover' },
      }}
    >
      <ToneChip word={alert.state} sx={{ justifySelf: 'start' }} />
      <Box sx={{ minWidth: 0 }}>
        <ButtonBase sx={{ display: 'block', maxWidth: '100%', mb: 0.5, textAlign: 'left', borderRadius: '4px' }}>
          <Typography variant="body2" noWrap title={alert.annotations.summary}>
            {alert.annotations.summary || alert.rule}
          </Typography>
        </ButtonBase>
        <LabelChips labels={alert.labels} hide={HIDDEN} onPick={pick} />
      </Box>
      <Typography variant="body2" noWrap title={alert.value} sx={{ fontFamily: MONO, fontSize: '0.75rem', textAlign: { md: 'right' } }}>
        {Number.isNaN(value) ? alert.value : formatNumber(value)}
      </Typography>
      <Since alert={alert} holdSeconds={holdSeconds} />
    </Box>
  );
}
