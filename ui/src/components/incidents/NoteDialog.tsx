import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import TextField from '@mui/material/TextField';
import { useState, type FormEvent } from 'react';

interface NoteDialogProps {
  title: string;
  label: string;
  confirm: string;
  close: () => void;
  done: (note: string) => void;
}

/** Asks for the words that go with an act; none are needed. */
export function NoteDialog({ title, label, confirm, close, done }: NoteDialogProps) {
  const [note, setNote] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    done(note.trim());
    close();
  };
  return (
    <Dialog open onClose={close} fullWidth maxWidth="xs" aria-labelledby="note-dialog">
      <form onSubmit={submit}>
        <DialogTitle id="note-dialog" sx={{ fontSize: '1rem', fontWeight: 640, pb: 1 }}>
          {title}
        </DialogTitle>
        <DialogContent>
          <TextField autoFocus fullWidth label={label} value={note} onChange={(event) => setNote(event.target.value)} sx={{ mt: 1 }} />
        </DialogContent>
        <DialogActions sx={{ px: 3, pb: 2 }}>
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" variant="contained">
            {confirm}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
