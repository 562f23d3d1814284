import './chart.css';

import Box from '@mui/material/Box';
import { useTheme, type Theme } from '@mui/material/styles';
import { useEffect, useMemo, useRef } from 'react';
import type uPlot from 'uplot';

import type { Columns } from '../lib/alignSeries';
import { formatNumber } from '../lib/formatNumber';
import { formatTime } from '../lib/formatTime';
import type { Threshold } from '../lib/parseThreshold';
import { timeTicks } from '../lib/timeTicks';
import { hoverPlugin, marksPlugin, thresholdPlugin, type Mark } from './overlays';
import { UPlot } from './UPlot';

interface TimeSeriesChartProps {
  columns: Columns;
  names: string[];
  height?: number;
  hidden?: ReadonlySet<number>;
  threshold?: Threshold | null;
  marks?: Mark[];
  /** Called with seconds since the epoch when a span was dragged over. */
  onSelect?: (from: number, to: number) => void;
  /** Charts with the same key share their crosshair. */
  syncKey?: string;
}

const NO_MARKS: Mark[] = [];
const NONE_HIDDEN: ReadonlySet<number> = new Set();

function axis(theme: Theme): uPlot.Axis {
  const { palette } = theme;
  return {
    stroke: palette.text.secondary,
    grid: { stroke: palette.divider, width: 1 },
    ticks: { show: false },
    font: '11px Inter, system-ui, sans-serif',
    gap: 6,
  };
}

/** The y range that shows all values and the threshold with some air. */
function yRange(low: number | null, high: number | null, threshold: number | null): uPlot.Range.MinMax {
  const values = [low, high, threshold].filter((value): value is number => value !== null && Number.isFinite(value));
  if (values.length === 0) return [0, 1];
  const bottom = Math.min(...values);
  const top = Math.max(...values);
  if (bottom === top) return bottom === 0 ? [0, 1] : [Math.min(0, bottom * 1.2), Math.max(0, top * 1.2)];
  const air = (top - bottom) * 0.08;
  return [bottom >= 0 && bottom < (top - bottom) * 0.6 ? 0 : bottom - air, top + air];
}

export function seriesColour(theme: Theme, index: number): string {
  return theme.palette.series[index % theme.palette.series.length] ?? theme.palette.primary.main;
}

type ChartParts = Pick<TimeSeriesChartProps, 'names' | 'threshold' | 'syncKey'> & { marks: Mark[]; select: (chart: uPlot) => void };

function buildOptions(theme: Theme, { names, threshold, syncKey, marks, select }: ChartParts): Omit<uPlot.Options, 'width' | 'height'> {
  const value = threshold?.value ?? null;
  return {
    legend: { show: false },
    padding: [10, 8, 0, 0],
    cursor: {
      drag: { x: true, y: false, setScale: false },
      points: { size: 7 },
      focus: { prox: 24 },
      ...(syncKey ? { sync: { key: syncKey } } : {}),
    },
    focus: { alpha: 0.35 },
    scales: { x: { time: true }, y: { range: (_chart, low, high) => yRange(low, high, value) } },
    axes: [
      {
        ...axis(theme),
        values: (_chart, ticks) => timeTicks(ticks),
        size: (_chart, ticks) => (ticks?.some((tick) => tick.includes('\n')) ? 42 : 28),
      },
      { ...axis(theme), size: 58, values: (_chart, ticks) => ticks.map(formatNumber) },
    ],
    series: [
      {},
      ...names.map((label, index): uPlot.Series => {
        const stroke = seriesColour(theme, index);
        return { label, stroke, width: 1.6, points: { show: false }, ...(names.length === 1 ? { fill: `${stroke}14` } : {}) };
      }),
    ],
    plugins: [
      hoverPlugin(formatNumber, (seconds) => formatTime(new Date(seconds * 1000))),
      ...(threshold ? [thresholdPlugin(threshold.value, threshold.operator, theme.palette.tone.critical.main)] : []),
      ...(marks.length > 0 ? [marksPlugin(marks)] : []),
    ],
    hooks: { setSelect: [select] },
  };
}

/** Lines over time with hover values, an optional threshold and marks; drag to choose a span. */
export function TimeSeriesChart(props: TimeSeriesChartProps) {
  const { columns, names, height = 260, hidden = NONE_HIDDEN, threshold = null, marks = NO_MARKS, onSelect, syncKey } = props;
  const theme = useTheme();
  const chart = useRef<uPlot | null>(null);
  const selected = useRef(onSelect);
  selected.current = onSelect;
  const shape = JSON.stringify([names, threshold, marks, syncKey]); // rebuild only for a real change
  const options = useMemo(
    () =>
      buildOptions(theme, {
        names,
        threshold,
        marks,
        syncKey,
        select: (made) => {
          if (made.select.width < 4) return;
          selected.current?.(made.posToVal(made.select.left, 'x'), made.posToVal(made.select.left + made.select.width, 'x'));
          made.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      }),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [theme, shape],
  );
  useEffect(() => {
    names.forEach((_, index) => {
      const show = !hidden.has(index);
      if (chart.current && chart.current.series[index + 1]?.show !== show) chart.current.setSeries(index + 1, { show });
    });
  }, [hidden, names, options]);
  const { palette } = theme;
  return (
    <Box
      role="img"
      aria-label={`Chart of ${names.length} series`}
      style={{ '--qv-hover-back': palette.surface.raised, '--qv-hover-border': palette.divider, '--qv-hover-text': palette.text.primary } as React.CSSProperties}
    >
      <UPlot options={options} columns={columns} height={height} onReady={(made) => (chart.current = made)} />
    </Box>
  );
}
