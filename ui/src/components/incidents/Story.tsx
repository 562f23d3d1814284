import Box from '@mui/material/Box';
import Skeleton from '@mui/material/Skeleton';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import Typography from '@mui/material/Typography';
import { useState } from 'react';

import { useTimeline } from '../../api/incidents';
import { storyPart, type StoryPart } from '../../lib/storyPart';
import { ErrorPanel } from '../ErrorPanel';
import { Timeline } from '../Timeline';

const PARTS: [StoryPart, string][] = [
  ['people', 'People'],
  ['alerts', 'Alerts'],
  ['telling', 'Notifications'],
];

/** What happened, newest first; parts of it can be hidden, the milestones stay. */
export function Story({ id }: { id: string }) {
  const timeline = useTimeline(id);
  const [shown, setShown] = useState<StoryPart[]>(PARTS.map(([part]) => part));
  if (timeline.isError) return <ErrorPanel error={timeline.error} retry={() => void timeline.refetch()} />;
  if (!timeline.data) return <Skeleton variant="rounded" height={200} />;
  const entries = timeline.data.filter((entry) => {
    const part = storyPart(entry.type, entry.actor);
    return part === null || shown.includes(part);
  });
  return (
    <>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1.5, mb: 2 }}>
        <Typography variant="caption" color="text.secondary">
          Show
        </Typography>
        <ToggleButtonGroup size="small" value={shown} onChange={(_event, next: StoryPart[]) => setShown(next)} aria-label="What to show">
          {PARTS.map(([part, name]) => (
            <ToggleButton key={part} value={part}>
              {name}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
        <Typography variant="caption" color="text.secondary" sx={{ ml: 'auto' }}>
          newest first
        </Typography>
      </Box>
      <Timeline entries={entries.reverse()} empty="Nothing to show." />
    </>
  );
}
