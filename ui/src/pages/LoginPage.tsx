import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Paper from '@mui/material/Paper';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import { ApiError } from '../api/http';
import { SESSION_KEY, signIn } from '../api/session';
import { useTitle } from '../hooks/useTitle';

function explain(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) return 'Wrong user name or password.';
  return error instanceof Error ? error.message : String(error);
}

/** Asks who is there. */
export function LoginPage() {
  useTitle('Sign in');
  const client = useQueryClient();
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const entry = useMutation({
    mutationFn: () => signIn(login, password),
    onSuccess: (user) => client.setQueryData(SESSION_KEY, user),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    entry.mutate();
  };
  return (
    <Box component="main" sx={{ minHeight: '100vh', display: 'grid', placeItems: 'center', p: 2, pb: '16vh' }}>
      <Box sx={{ width: '100%', maxWidth: 360 }}>
        <Box sx={{ display: 'flex', alignItems: 'center', gap: 1.5, mb: 3 }}>
          <img src="/favicon.svg" width={36} height={36} alt="" />
          <Box>
            <Typography component="p" sx={{ fontWeight: 680, fontSize: '1.125rem', letterSpacing: '-0.02em', lineHeight: 1.2 }}>
              qvmon
            </Typography>
            <Typography variant="body2" color="text.secondary">
              Watches the trading platform
            </Typography>
          </Box>
        </Box>
        <Paper variant="outlined" component="form" onSubmit={submit} sx={{ p: 3, display: 'flex', flexDirection: 'column', gap: 2, borderRadius: '12px' }}>
          <Typography variant="h1">Sign in</Typography>
          {entry.isError && <Alert severity="error">{explain(entry.error)}</Alert>}
          <TextField label="User name" name="username" autoComplete="username" autoFocus required value={login} onChange={(event) => setLogin(event.target.value)} />
          <TextField label="Password" name="password" type="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.target.value)} />
          <Button type="submit" variant="contained" size="medium" disabled={entry.isLoading}>
            {entry.isLoading ? 'Signing in…' : 'Sign in'}
          </Button>
        </Paper>
      </Box>
    </Box>
  );
}
