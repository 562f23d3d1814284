import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useState, type FormEvent, type KeyboardEvent, type RefObject } from 'react';

interface ComposerProps {
  field: RefObject<HTMLTextAreaElement>;
  sending: boolean;
  /** Resolves when the server took it; the text stays when it did not. */
  send: (text: string) => Promise<unknown>;
}

/** Where comments are written; Ctrl-Enter sends. */
export function Composer({ field, sending, send }: ComposerProps) {
  const [text, setText] = useState('');
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    const said = text.trim();
    if (said && !sending) send(said).then(() => setText(''), () => undefined);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit();
    if (event.key === 'Escape') field.current?.blur();
  };
  return (
    <Box component="form" onSubmit={submit} sx={{ mb: 2.5 }}>
      <TextField
        fullWidth
        multiline
        minRows={2}
        maxRows={10}
        inputRef={field}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        placeholder="Write what you see, think or did…"
        inputProps={{ 'aria-label': 'Comment' }}
      />
      <Box sx={{ display: 'flex', alignItems: 'center', justifyContent: 'flex-end', gap: 1.5, mt: 1 }}>
        <Typography variant="caption" color="text.secondary">
          Ctrl Enter sends
        </Typography>
        <Button type="submit" variant="outlined" disabled={sending || text.trim() === ''}>
          Comment
        </Button>
      </Box>
    </Box>
  );
}
