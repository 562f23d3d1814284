import { mdiChevronLeft, mdiChevronRight, mdiMagnifyMinusOutline, mdiPlay } from '@mdi/js';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import Tooltip from '@mui/material/Tooltip';

import type { ExplorerState } from '../../lib/explorerState';
import { formatDuration } from '../../lib/formatDuration';
import { formatTime } from '../../lib/formatTime';
import { formatUtc } from '../../lib/formatUtc';
import { Icon } from '../Icon';

const RANGES = [300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000];
const STEPS = [1, 5, 15, 30, 60, 300, 900, 3600];
const REFRESHES = [0, 1, 5, 15, 30, 60];

interface TimeControlsProps {
  state: ExplorerState;
  change: (part: Partial<ExplorerState>) => void;
  run: () => void;
}

interface ChoiceProps {
  name: string;
  value: number;
  options: number[];
  text: (value: number) => string;
  choose: (value: number) => void;
  width: number;
}

function Choice({ name, value, options, text, choose, width }: ChoiceProps) {
  const offered = options.includes(value) ? options : [...options, value].sort((left, right) => left - right);
  return (
    <TextField select label={name} value={value} onChange={(event) => choose(Number(event.target.value))} SelectProps={{ SelectDisplayProps: { 'aria-label': name } }} sx={{ width, '& .MuiInputBase-root': { height: 34 } }}>
      {offered.map((option) => (
        <MenuItem key={option} value={option}>
          {text(option)}
        </MenuItem>
      ))}
    </TextField>
  );
}

function End({ state, change }: Omit<TimeControlsProps, 'run'>) {
  const shift = (parts: number) => {
    const end = (state.end ?? Math.floor(Date.now() / 1000)) + parts * state.range;
    change({ end: end >= Date.now() / 1000 ? null : Math.floor(end) });
  };
  const moment = state.end === null ? null : new Date(state.end * 1000);
  return (
    <Box sx={{ display: 'flex', alignItems: 'center', border: 1, borderColor: 'divider', borderRadius: '8px', height: 34 }}>
      <IconButton size="small" aria-label="Earlier" onClick={() => shift(-0.5)}>
        <Icon path={mdiChevronLeft} />
      </IconButton>
      <Tooltip title={moment ? `${formatUtc(moment)} · go to now` : 'The range ends now'}>
        <Button size="small" color="inherit" onClick={() => change({ end: null })} sx={{ minWidth: 96, px: 0.5, fontVariantNumeric: 'tabular-nums' }}>
          {moment ? formatTime(moment) : 'now'}
        </Button>
      </Tooltip>
      <IconButton size="small" aria-label="Later" disabled={state.end === null} onClick={() => shift(0.5)}>
        <Icon path={mdiChevronRight} />
      </IconButton>
    </Box>
  );
}

/** Range, end, step and refresh of all queries. */
export function TimeControls({ state, change, run }: TimeControlsProps) {
  return (
    <>
      <Tooltip title="Twice the range">
        <IconButton size="small" aria-label="Zoom out" onClick={() => change({ range: state.range * 2, end: state.end === null ? null : Math.min(Math.floor(Date.now() / 1000), state.end + Math.floor(state.range / 2)) })}>
          <Icon path={mdiMagnifyMinusOutline} />
        </IconButton>
      </Tooltip>
      <Choice name="Range" width={104} value={state.range} options={RANGES} text={formatDuration} choose={(range) => change({ range })} />
      <End state={state} change={change} />
      <Choice name="Step" width={92} value={state.step ?? 0} options={[0, ...STEPS]} text={(step) => (step === 0 ? 'auto' : formatDuration(step))} choose={(step) => change({ step: step || null })} />
      <Choice name="Refresh" width={92} value={state.refresh} options={REFRESHES} text={(every) => (every === 0 ? 'off' : formatDuration(every))} choose={(refresh) => change({ refresh })} />
      <Button variant="contained" startIcon={<Icon path={mdiPlay} />} onClick={run} sx={{ height: 34 }}>
        Run
      </Button>
    </>
  );
}
