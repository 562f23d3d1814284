import uPlot from 'uplot';

/** A moment worth seeing on a time axis. */
export interface Mark {
  /** Seconds since the epoch. */
  at: number;
  label: string;
  colour: string;
}

function dashed(chart: uPlot, colour: string, draw: (pen: CanvasRenderingContext2D) => void): void {
  const pen = chart.ctx;
  pen.save();
  pen.beginPath();
  pen.rect(chart.bbox.left, chart.bbox.top, chart.bbox.width, chart.bbox.height);
  pen.clip();
  pen.strokeStyle = colour;
  pen.fillStyle = colour;
  pen.lineWidth = devicePixelRatio;
  pen.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  pen.textAlign = 'left';
  pen.textBaseline = 'alphabetic';
  pen.font = `${11 * devicePixelRatio}px Inter, system-ui, sans-serif`;
  draw(pen);
  pen.restore();
}

/** Draws a horizontal line at `value`, with the side that alerts shaded. */
export function thresholdPlugin(value: number, operator: string, colour: string): uPlot.Plugin {
  return {
    hooks: {
      draw: (chart) =>
        dashed(chart, colour, (pen) => {
          const y = chart.valToPos(value, 'y', true);
          const { left, top, width, height } = chart.bbox;
          pen.beginPath();
          pen.moveTo(left, y);
          pen.lineTo(left + width, y);
          pen.stroke();
          pen.globalAlpha = 0.07;
          if (operator.startsWith('>')) pen.fillRect(left, top, width, Math.max(0, y - top));
          if (operator.startsWith('<')) pen.fillRect(left, y, width, Math.max(0, top + height - y));
        }),
    },
  };
}

const WORD_GAP = 4;
const WORD_HEIGHT = 13;

/** Writes a mark's word beside its line: left of it where the right has no room, each mark on a row of its own. */
function word(chart: uPlot, pen: CanvasRenderingContext2D, text: string, x: number, row: number): void {
  const gap = WORD_GAP * devicePixelRatio;
  const fits = x + gap + pen.measureText(text).width <= chart.bbox.left + chart.bbox.width;
  pen.textAlign = fits ? 'left' : 'right';
  pen.fillText(text, fits ? x + gap : x - gap, chart.bbox.top + (11 + row * WORD_HEIGHT) * devicePixelRatio);
}

/** Draws a vertical line with a word at each mark. */
export function marksPlugin(marks: Mark[]): uPlot.Plugin {
  return {
    hooks: {
      draw: (chart) =>
        marks.forEach((mark, row) =>
          dashed(chart, mark.colour, (pen) => {
            const x = chart.valToPos(mark.at, 'x', true);
            pen.beginPath();
            pen.moveTo(x, chart.bbox.top);
            pen.lineTo(x, chart.bbox.top + chart.bbox.height);
            pen.stroke();
            word(chart, pen, mark.label, x, row);
          }),
        ),
    },
  };
}

export interface HoverRow {
  name: string;
  colour: string;
  text: string;
  value: number;
}

const ROWS_SHOWN = 12;

function rowsAt(chart: uPlot, index: number, show: (value: number) => string): HoverRow[] {
  const rows = chart.series.slice(1).flatMap((series, column): HoverRow[] => {
    const value = chart.data[column + 1]?.[index];
    if (value === null || value === undefined || series.show === false) return [];
    const colour = typeof series.stroke === 'function' ? String(series.stroke(chart, column + 1)) : String(series.stroke);
    return [{ name: String(series.label ?? ''), colour, text: show(value), value }];
  });
  return rows.sort((left, right) => right.value - left.value);
}

function element(className: string, text = ''): HTMLElement {
  const made = document.createElement('div');
  made.className = className;
  made.textContent = text;
  return made;
}

function fill(box: HTMLElement, time: string, rows: HoverRow[]): void {
  const lines = rows.slice(0, ROWS_SHOWN).map((row) => {
    const line = element('qv-hover-row');
    const swatch = element('qv-hover-swatch');
    swatch.style.background = row.colour;
    line.append(swatch, element('qv-hover-name', row.name), element('qv-hover-value', row.text));
    return line;
  });
  const more = rows.length > ROWS_SHOWN ? [element('qv-hover-more', `and ${rows.length - ROWS_SHOWN} more`)] : [];
  box.replaceChildren(element('qv-hover-time', time), ...lines, ...more);
}

function place(box: HTMLElement, chart: uPlot): void {
  const left = chart.cursor.left ?? 0;
  const width = chart.over.clientWidth;
  const onRight = left < width / 2;
  box.style.left = onRight ? `${left + 14}px` : '';
  box.style.right = onRight ? '' : `${width - left + 14}px`;
}

/** Shows the values under the pointer beside it, the largest first. */
export function hoverPlugin(show: (value: number) => string, timeOf: (seconds: number) => string): uPlot.Plugin {
  const box = element('qv-hover');
  return {
    hooks: {
      init: (chart) => {
        chart.over.appendChild(box);
      },
      setCursor: (chart) => {
        const index = chart.cursor.idx;
        const time = index === null || index === undefined ? undefined : chart.data[0][index];
        const rows = index === null || index === undefined || (chart.cursor.left ?? -1) < 0 ? [] : rowsAt(chart, index, show);
        box.style.display = time === undefined || rows.length === 0 ? 'none' : 'block';
        if (time === undefined || rows.length === 0) return;
        fill(box, timeOf(time), rows);
        place(box, chart);
      },
    },
  };
}
