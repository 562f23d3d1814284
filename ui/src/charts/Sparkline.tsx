import { useTheme } from '@mui/material/styles';
import { useMemo } from 'react';
import type uPlot from 'uplot';

import type { Columns } from '../lib/alignSeries';
import { UPlot } from './UPlot';

type Options = Omit<uPlot.Options, 'width' | 'height'>;

function sparkOptions(colour: string): Options {
  return {
    legend: { show: false },
    cursor: { show: false },
    padding: [3, 0, 2, 0],
    scales: { x: { time: true }, y: { range: (_chart, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.08 : 1] } },
    axes: [{ show: false }, { show: false }],
    series: [{}, { stroke: colour, width: 1.4, fill: `${colour}1f`, points: { show: false }, spanGaps: true }],
  };
}

/** The shape of the last minutes in a few pixels; described in words for those who cannot see it. */
export function Sparkline({ columns, label, colour, height = 30 }: { columns: Columns; label: string; colour?: string; height?: number }) {
  const { palette } = useTheme();
  const stroke = colour ?? palette.series[0] ?? palette.primary.main;
  const options = useMemo(() => sparkOptions(stroke), [stroke]);
  return (
    <div role="img" aria-label={label}>
      <UPlot options={options} columns={columns} height={height} />
    </div>
  );
}
