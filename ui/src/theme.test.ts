import { decomposeColor, getContrastRatio } from '@mui/material/styles';
import { describe, expect, it } from 'vitest';

import { themeFor, type Mode, type Tone } from './theme';

const AA = 4.5;
const TONES: Tone[] = ['critical', 'warning', 'info', 'ok', 'unknown'];

/** Returns a colour with transparency as it looks on an opaque one. */
function over(colour: string, below: string): string {
  const [r = 0, g = 0, b = 0, alpha = 1] = decomposeColor(colour).values.map(Number);
  const under = decomposeColor(below).values.map(Number);
  const mixed = [r, g, b].map((part, index) => Math.round(part * alpha + (under[index] ?? 0) * (1 - alpha)));
  return `rgb(${mixed.join(', ')})`;
}

describe.each<Mode>(['dark', 'light'])('the %s theme', (mode) => {
  const { palette } = themeFor(mode);
  const surfaces = [palette.background.default, palette.background.paper, palette.surface.sunken, palette.surface.raised];

  it.each(surfaces)('has readable text on %s', (surface) => {
    expect(getContrastRatio(palette.text.primary, surface)).toBeGreaterThanOrEqual(AA);
    expect(getContrastRatio(palette.text.secondary, surface)).toBeGreaterThanOrEqual(AA);
  });
  it.each(TONES)('has readable words in the tone %s, on paper and in chips', (tone) => {
    const { main, soft } = palette.tone[tone];
    expect(getContrastRatio(main, palette.background.paper)).toBeGreaterThanOrEqual(AA);
    expect(getContrastRatio(main, over(soft, palette.background.paper))).toBeGreaterThanOrEqual(AA);
  });
  it('has readable buttons', () => {
    expect(getContrastRatio(palette.primary.contrastText, palette.primary.main)).toBeGreaterThanOrEqual(AA);
  });
  it.each(palette.series)('draws lines that stand out, such as %s', (colour) => {
    expect(getContrastRatio(colour, palette.background.paper)).toBeGreaterThanOrEqual(3);
  });
});
