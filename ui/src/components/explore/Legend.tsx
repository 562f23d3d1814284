import Box from '@mui/material/Box';
import ButtonBase from '@mui/material/ButtonBase';
import { useTheme } from '@mui/material/styles';
import Typography from '@mui/material/Typography';

import { seriesColour } from '../../charts/TimeSeriesChart';
import type { Columns } from '../../lib/alignSeries';
import { formatNumber } from '../../lib/formatNumber';
import { summarise } from '../../lib/summarise';
import { MONO } from '../../theme';

interface LegendProps {
  names: string[];
  /** What all of the series have in common, as Prometheus prints it. */
  shared: string;
  columns: Columns;
  hidden: ReadonlySet<number>;
  toggle: (index: number) => void;
  /** Shows only this series, or all when it already is the only one. */
  isolate: (index: number) => void;
}

const GRID = '12px minmax(0, 1fr) repeat(3, 84px)';

/** The series of a chart: a click hides or shows one, with Ctrl shows it alone. */
export function Legend({ names, shared, columns, hidden, toggle, isolate }: LegendProps) {
  const theme = useTheme();
  return (
    <Box role="group" aria-label="Legend" sx={{ maxHeight: 320, overflowY: 'auto', px: 1, pb: 1 }}>
      <Box aria-hidden sx={{ display: 'grid', gridTemplateColumns: GRID, gap: 1.25, px: 1, py: 0.5 }}>
        {['', shared === '{}' ? 'Series' : shared, 'min', 'max', 'last'].map((head, index) => (
          <Typography key={head} variant="caption" color="text.secondary" noWrap title={head} sx={{ fontFamily: index === 1 ? MONO : undefined, textAlign: index > 1 ? 'right' : 'left', fontSize: '0.6875rem' }}>
            {head}
          </Typography>
        ))}
      </Box>
      {names.map((name, index) => {
        const figures = summarise(columns[index + 1] ?? []);
        const shown = !hidden.has(index);
        return (
          <ButtonBase
            key={`${index}${name}`}
            aria-pressed={shown}
            title={`${name} — Ctrl-click shows it alone`}
            onClick={(event) => (event.ctrlKey || event.metaKey ? isolate(index) : toggle(index))}
            sx={{ display: 'grid', gridTemplateColumns: GRID, gap: 1.25, width: '100%', textAlign: 'left', px: 1, py: 0.375, borderRadius: '6px', opacity: shown ? 1 : 0.45, '&:hover': { bgcolor: 'surface.hover' } }}
          >
            <Box aria-hidden sx={{ width: 10, height: 10, borderRadius: '3px', bgcolor: shown ? seriesColour(theme, index) : 'text.secondary' }} />
            <Box component="span" sx={{ fontFamily: MONO, fontSize: '0.75rem', overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}>
              {name}
            </Box>
            {[figures?.min, figures?.max, figures?.last].map((value, column) => (
              <Box key={column} component="span" sx={{ fontSize: '0.75rem', textAlign: 'right', fontVariantNumeric: 'tabular-nums' }}>
                {value === undefined ? '–' : formatNumber(value)}
              </Box>
            ))}
          </ButtonBase>
        );
      })}
    </Box>
  );
}
