import Chip, { type ChipProps } from '@mui/material/Chip';

import { toneOf } from '../lib/toneOf';
import type { Tone } from '../theme';

/** A word in the colour of how serious it is. */
export function ToneChip({ word, tone, sx, ...rest }: Omit<ChipProps, 'label'> & { word: string; tone?: Tone }) {
  const name = tone ?? toneOf(word);
  return (
    <Chip
      size="small"
      label={word.replaceAll('_', ' ') || 'none'}
      sx={[
        ({ palette }) => ({ color: palette.tone[name].main, bgcolor: palette.tone[name].soft, fontWeight: 600 }),
        ...(Array.isArray(sx) ? sx : [sx]),
      ]}
      {...rest}
    />
  );
}
