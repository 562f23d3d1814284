import Box from '@mui/material/Box';
import Paper from '@mui/material/Paper';
import Typography from '@mui/material/Typography';
import { Link } from 'react-router-dom';

import type { RecentChange } from '../../api/overview';
import { factIcon, factTone } from '../../lib/factLook';
import { subjectPath } from '../../lib/subjectPath';
import { Icon } from '../Icon';
import { Time } from '../Time';

function Change({ change }: { change: RecentChange }) {
  const path = subjectPath(change.subject);
  return (
    <Box component="li" sx={{ display: 'flex', gap: 1.25, px: 2, py: 0.875, '&:hover': { bgcolor: 'surface.hover' } }}>
      <Icon path={factIcon(change.type)} sx={{ fontSize: 16, mt: '2px', color: `tone.${factTone(change.type)}.main` }} />
      <Box sx={{ minWidth: 0, flex: 1 }}>
        <Typography
          variant="body2"
          {...(path ? { component: Link, to: path } : {})}
          sx={{ color: 'text.primary', textDecoration: 'none', overflowWrap: 'anywhere', '&[href]:hover': { textDecoration: 'underline' } }}
        >
          {change.text}
        </Typography>
        <Typography variant="caption" color="text.secondary" component="div">
          <Time at={change.at} />
        </Typography>
      </Box>
    </Box>
  );
}

/** What happened in the last half hour, newest first. */
export function RecentChanges({ recent }: { recent: RecentChange[] }) {
  const newestFirst = [...recent].sort((left, right) => right.at.localeCompare(left.at));
  return (
    <Paper variant="outlined" component="section" aria-label="What changed in the last 30 minutes">
      <Box sx={{ px: 2, pt: 1.5, pb: 0.75 }}>
        <Typography variant="h2">What changed</Typography>
        <Typography variant="caption" color="text.secondary">
          in the last 30 minutes
        </Typography>
      </Box>
      {newestFirst.length === 0 ? (
        <Typography variant="body2" color="text.secondary" sx={{ px: 2, pb: 2 }}>
          Nothing. All quiet.
        </Typography>
      ) : (
        <Box component="ul" data-testid="recent" sx={{ listStyle: 'none', m: 0, p: 0, pb: 1, maxHeight: 'calc(100vh - 190px)', overflowY: 'auto' }}>
          {newestFirst.map((change, row) => (
            <Change key={`${change.at}${change.subject}${change.type}${row}`} change={change} />
          ))}
        </Box>
      )}
    </Paper>
  );
}
