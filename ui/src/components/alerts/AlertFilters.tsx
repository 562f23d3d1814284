import { mdiMagnify } from '@mdi/js';
import Box from '@mui/material/Box';
import Chip from '@mui/material/Chip';
import InputAdornment from '@mui/material/InputAdornment';
import TextField from '@mui/material/TextField';
import ToggleButton from '@mui/material/ToggleButton';

import type { AlertState } from '../../api/alerts';
import type { AlertFilter } from '../../lib/alertFilter';
import { toneOf } from '../../lib/toneOf';
import { MONO } from '../../theme';
import { Icon } from '../Icon';
import { StatusDot } from '../StatusDot';

interface AlertFiltersProps {
  filter: AlertFilter;
  counts: Record<AlertState, number>;
  change: (filter: AlertFilter) => void;
}

const STATES: AlertState[] = ['firing', 'pending', 'resolved'];

/** Which alerts to show: states with their counts, labels, and a text. */
export function AlertFilters({ filter, counts, change }: AlertFiltersProps) {
  const toggle = (state: AlertState) =>
    change({ ...filter, states: STATES.filter((one) => (one === state) !== filter.states.includes(one)) });
  return (
    <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 1, alignItems: 'center', mb: 2 }}>
      <Box role="group" aria-label="States" sx={{ display: 'flex', gap: 0.75 }}>
        {STATES.map((state) => (
          <ToggleButton
            key={state}
            value={state}
            size="small"
            selected={filter.states.includes(state)}
            onChange={() => toggle(state)}
            sx={{ gap: 1, height: 34, px: 1.5, textTransform: 'capitalize !important', color: 'text.secondary', '&.Mui-selected': { color: 'text.primary' } }}
          >
            <StatusDot tone={toneOf(state)} size={8} />
            {state}
            <Box component="span" sx={{ fontVariantNumeric: 'tabular-nums', opacity: 0.75 }}>
              {counts[state]}
            </Box>
          </ToggleButton>
        ))}
      </Box>
      <TextField
        value={filter.text}
        onChange={(event) => change({ ...filter, text: event.target.value })}
        placeholder="Filter by text"
        inputProps={{ 'aria-label': 'Filter by text' }}
        InputProps={{ startAdornment: <InputAdornment position="start"><Icon path={mdiMagnify} sx={{ fontSize: 17 }} /></InputAdornment>, sx: { height: 34 } }}
        sx={{ width: 240 }}
      />
      {filter.labels.map(([name, value]) => (
        <Chip
          key={`${name}=${value}`}
          size="small"
          label={`${name}=${value}`}
          onDelete={() => change({ ...filter, labels: filter.labels.filter(([other, one]) => other !== name || one !== value) })}
          sx={{ fontFamily: MONO, height: 26 }}
        />
      ))}
    </Box>
  );
}
