import Box from '@mui/material/Box';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';

import type { Columns } from '../lib/alignSeries';

interface UPlotProps {
  /** A new object makes a new chart: keep it while it means the same. */
  options: Omit<uPlot.Options, 'width' | 'height'>;
  columns: Columns;
  height: number;
  onReady?: (chart: uPlot | null) => void;
}

/** uPlot as a component: follows the width of its place, redraws without rebuilding. */
export function UPlot({ options, columns, height, onReady }: UPlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const latest = useRef(columns);
  latest.current = columns;
  const ready = useRef(onReady);
  ready.current = onReady;

  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const made = new uPlot({ ...options, width: element.clientWidth || 100, height }, latest.current, element);
    chart.current = made;
    ready.current?.(made);
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      ready.current?.(null);
      made.destroy();
      chart.current = null;
    };
  }, [options, height]);

  useEffect(() => {
    if (chart.current && chart.current.data !== columns) chart.current.setData(columns);
  }, [columns]);

  return <Box ref={place} sx={{ width: '100%', height, overflow: 'hidden' }} />;
}
