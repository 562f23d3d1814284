import { mdiClose } from '@mdi/js';
import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import Paper from '@mui/material/Paper';
import Skeleton from '@mui/material/Skeleton';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import { lazy, Suspense, useMemo } from 'react';

import type { Note } from '../../api/prometheus';
import { errorPosition } from '../../lib/errorPosition';
import { formatDuration } from '../../lib/formatDuration';
import { Icon } from '../Icon';
import type { QueryOutcome } from './useRangeQueries';

const PromqlEditor = lazy(() => import('./PromqlEditor'));

interface QueryRowProps {
  letter: string;
  draft: string;
  outcome: QueryOutcome | undefined;
  removable: boolean;
  autoFocus: boolean;
  change: (text: string) => void;
  run: () => void;
  remove: () => void;
}

function Problem({ message }: { message: string }) {
  return (
    <Box role="alert" data-testid="query-error" sx={{ px: 1.5, py: 0.75, borderTop: 1, borderColor: 'divider', color: 'error.main', fontSize: '0.8125rem', overflowWrap: 'anywhere' }}>
      {message}
    </Box>
  );
}

function Notes({ notes }: { notes: Note[] }) {
  return (
    <Box component="ul" aria-label="Notes" sx={{ listStyle: 'none', m: 0, px: 1.5, py: 0.75, borderTop: 1, borderColor: 'divider', fontSize: '0.8125rem', maxHeight: 120, overflowY: 'auto', overflowWrap: 'anywhere' }}>
      {notes.map(({ tone, text }) => (
        <Box component="li" key={text} sx={{ color: tone === 'warning' ? 'warning.main' : 'text.secondary' }}>
          {text}
        </Box>
      ))}
    </Box>
  );
}

function Outcome({ outcome }: { outcome: QueryOutcome | undefined }) {
  if (!outcome || outcome.query.trim() === '' || outcome.error) return null;
  const count = outcome.series.length;
  const text = outcome.loading && outcome.tookMs === null ? 'running…' : `${count} series${outcome.tookMs === null ? '' : ` · ${formatDuration(outcome.tookMs / 1000)}`}`;
  return (
    <Typography variant="caption" color="text.secondary" noWrap sx={{ flexShrink: 0, fontVariantNumeric: 'tabular-nums', alignSelf: 'center' }}>
      {text}
    </Typography>
  );
}

/** One query: its letter, its text, what it gave or what is wrong with it. */
export function QueryRow({ letter, draft, outcome, removable, autoFocus, change, run, remove }: QueryRowProps) {
  const message = outcome?.error?.message ?? null;
  const query = outcome?.query ?? '';
  const problem = useMemo(() => (message ? { from: errorPosition(message, query) ?? 0, message } : null), [message, query]);
  return (
    <Paper variant="outlined" sx={{ overflow: 'visible', '&:focus-within': { borderColor: 'primary.main' } }}>
      <Box sx={{ display: 'flex', alignItems: 'flex-start', gap: 1, px: 1.25 }}>
        <Box aria-hidden sx={{ mt: 1.125, width: 22, height: 22, borderRadius: '6px', display: 'grid', placeItems: 'center', bgcolor: 'action.selected', fontSize: '0.75rem', fontWeight: 640, flexShrink: 0 }}>
          {letter}
        </Box>
        <Suspense fallback={<Skeleton variant="text" sx={{ flex: 1, my: 1.25 }} />}>
          <PromqlEditor value={draft} label={`Query ${letter}`} autoFocus={autoFocus} problem={problem} onChange={change} onRun={run} />
        </Suspense>
        <Outcome outcome={outcome} />
        {removable && (
          <Tooltip title="Remove the query">
            <IconButton size="small" aria-label={`Remove query ${letter}`} onClick={remove} sx={{ mt: 0.75 }}>
              <Icon path={mdiClose} sx={{ fontSize: 16 }} />
            </IconButton>
          </Tooltip>
        )}
      </Box>
      {message && <Problem message={message} />}
      {outcome && outcome.notes.length > 0 && <Notes notes={outcome.notes} />}
    </Paper>
  );
}
