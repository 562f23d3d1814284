import ButtonBase from '@mui/material/ButtonBase';
import Stack from '@mui/material/Stack';

import { MONO } from '../theme';

interface LabelChipsProps {
  labels: Record<string, string>;
  hide?: string[];
  onPick?: (name: string, value: string) => void;
}

/** Labels as small chips; a click filters by one where the page can. */
export function LabelChips({ labels, hide = [], onPick }: LabelChipsProps) {
  const names = Object.keys(labels)
    .filter((name) => !hide.includes(name))
    .sort();
  return (
    <Stack direction="row" sx={{ flexWrap: 'wrap', gap: 0.5 }}>
      {names.map((name) => (
        <LabelChip key={name} name={name} value={labels[name] ?? ''} onPick={onPick} />
      ))}
    </Stack>
  );
}

interface LabelChipProps {
  name: string;
  value: string;
  onPick?: (name: string, value: string) => void;
}

function LabelChip({ name, value, onPick }: LabelChipProps) {
  return (
    <ButtonBase
      component={onPick ? 'button' : 'span'}
      disabled={!onPick}
      title={onPick ? `Show only ${name}=${value}` : `${name}=${value}`}
      aria-label={onPick ? `Filter by ${name} ${value}` : undefined}
      onClick={(event: React.MouseEvent) => {
        event.stopPropagation();
        onPick?.(name, value);
      }}
      sx={{
        fontFamily: MONO,
        fontSize: '0.71875rem',
        lineHeight: '20px',
        px: 0.75,
        borderRadius: '5px',
        bgcolor: 'surface.sunken',
        border: 1,
        borderColor: 'divider',
        color: 'text.primary',
        maxWidth: 340,
        overflow: 'hidden',
        textOverflow: 'ellipsis',
        whiteSpace: 'nowrap',
        display: 'inline-block',
        userSelect: 'text',
        '&:hover': onPick ? { borderColor: 'primary.main' } : {},
      }}
    >
      <span style={{ opacity: 0.72 }}>{name}=</span>
      {value}
    </ButtonBase>
  );
}
