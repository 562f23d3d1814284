import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';

import type { HistoryEntry } from '../api/alerts';
import { factIcon, factTone } from '../lib/factLook';
import { Icon } from './Icon';
import { Time } from './Time';

function actorName(actor: string): string {
  const [kind, name = ''] = actor.split(/:(.*)/s);
  return kind === 'person' ? name : actor;
}

function Entry({ entry, last }: { entry: HistoryEntry; last: boolean }) {
  const tone = factTone(entry.type);
  const comment = entry.type === 'incident.commented' && typeof entry.body.text === 'string' ? entry.body.text : null;
  return (
    <Box component="li" data-testid="entry" data-type={entry.type} sx={{ display: 'grid', gridTemplateColumns: '26px minmax(0, 1fr)', columnGap: 1.5, position: 'relative', pb: last ? 0 : 2 }}>
      {!last && <Box aria-hidden sx={{ position: 'absolute', left: 12.5, top: 26, bottom: 0, width: '1px', bgcolor: 'divider' }} />}
      <Box sx={({ palette }) => ({ width: 26, height: 26, borderRadius: '50%', display: 'grid', placeItems: 'center', bgcolor: palette.tone[tone].soft, color: palette.tone[tone].main })}>
        <Icon path={factIcon(entry.type)} sx={{ fontSize: 15 }} />
      </Box>
      <Box sx={{ minWidth: 0, pt: '2px' }}>
        <Box sx={{ display: 'flex', gap: 1.5, alignItems: 'baseline' }}>
          <Typography variant="body2" sx={{ flex: 1, minWidth: 0, overflowWrap: 'anywhere' }}>
            {comment === null ? entry.text : <b style={{ fontWeight: 600 }}>{actorName(entry.actor)}</b>}
          </Typography>
          <Typography variant="caption" color="text.secondary" component="span">
            <Time at={entry.at} show="both" />
          </Typography>
        </Box>
        {comment === null ? (
          <Typography variant="caption" color="text.secondary">
            {actorName(entry.actor)}
          </Typography>
        ) : (
          <Box sx={{ mt: 0.5, px: 1.5, py: 1, borderRadius: '8px', bgcolor: 'surface.sunken', border: 1, borderColor: 'divider', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', fontSize: '0.84375rem' }}>
            {comment}
          </Box>
        )}
      </Box>
    </Box>
  );
}

/** Facts in the order given, each with its glyph, its words, who, and when. */
export function Timeline({ entries, empty }: { entries: HistoryEntry[]; empty: string }) {
  if (entries.length === 0) {
    return (
      <Typography variant="body2" color="text.secondary">
        {empty}
      </Typography>
    );
  }
  return (
    <Box component="ol" aria-label="Timeline" sx={{ listStyle: 'none', m: 0, mt: 0.5, p: 0 }}>
      {entries.map((entry, row) => (
        <Entry key={entry.id} entry={entry} last={row === entries.length - 1} />
      ))}
    </Box>
  );
}
