import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Paper from '@mui/material/Paper';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useNavigate } from 'react-router-dom';

import { changePassword, SESSION_KEY } from '../api/session';
import { useSignOut } from '../components/UserMenu';
import { useAnnounce } from '../hooks/useAnnounce';
import { useTitle } from '../hooks/useTitle';

/** Changes one's own password; `forced` when nothing else may be done before. */
export default function PasswordPage({ forced = false }: { forced?: boolean }) {
  useTitle('Change password');
  const client = useQueryClient();
  const navigate = useNavigate();
  const announce = useAnnounce();
  const leave = useSignOut();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const differs = again !== '' && next !== again;
  const change = useMutation({
    mutationFn: () => changePassword(current, next),
    onSuccess: async () => {
      await client.invalidateQueries(SESSION_KEY);
      announce('Password changed.');
      navigate('/');
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!differs) change.mutate();
  };
  return (
    <Box component={forced ? 'main' : 'div'} sx={{ minHeight: forced ? '100vh' : '70vh', display: 'grid', placeItems: 'center', p: 2 }}>
      <Paper variant="outlined" component="form" onSubmit={submit} sx={{ p: 3, width: '100%', maxWidth: 400, display: 'flex', flexDirection: 'column', gap: 2, borderRadius: '12px' }}>
        <Typography variant="h1">Change password</Typography>
        {forced && <Typography color="text.secondary">The password you signed in with was for one use. Choose your own to go on.</Typography>}
        {change.isError && <Alert severity="error">{(change.error as Error).message}</Alert>}
        <TextField label="Current password" name="current" type="password" autoComplete="current-password" autoFocus required value={current} onChange={(event) => setCurrent(event.target.value)} />
        <TextField label="New password" name="new" type="password" autoComplete="new-password" required value={next} onChange={(event) => setNext(event.target.value)} />
        <TextField
          label="New password again"
          name="again"
          type="password"
          autoComplete="new-password"
          required
          error={differs}
          helperText={differs ? 'The two new passwords differ.' : undefined}
          value={again}
          onChange={(event) => setAgain(event.target.value)}
        />
        <Button type="submit" variant="contained" size="medium" disabled={change.isLoading || differs}>
          {change.isLoading ? 'Changing…' : 'Change password'}
        </Button>
        {forced && <Button onClick={leave}>Sign out</Button>}
      </Paper>
    </Box>
  );
}
