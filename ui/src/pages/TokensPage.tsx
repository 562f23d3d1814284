import { mdiKeyOutline } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import MenuItem from '@mui/material/MenuItem';
import Paper from '@mui/material/Paper';
import Skeleton from '@mui/material/Skeleton';
import Stack from '@mui/material/Stack';
import Table from '@mui/material/Table';
import TableBody from '@mui/material/TableBody';
import TableCell from '@mui/material/TableCell';
import TableHead from '@mui/material/TableHead';
import TableRow from '@mui/material/TableRow';
import TextField from '@mui/material/TextField';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import { useSession } from '../api/session';
import { createToken, revokeToken, TOKENS_KEY, useTokens, type Token } from '../api/tokens';
import { EmptyState } from '../components/EmptyState';
import { ErrorPanel } from '../components/ErrorPanel';
import { Page } from '../components/Page';
import { Time } from '../components/Time';
import { useAnnounce } from '../hooks/useAnnounce';
import { formatUtc } from '../lib/formatUtc';
import { MONO } from '../theme';

const DAY = 86_400;
const LIFETIMES = [7, 30, 90, 365];
/** Roles that programs mostly need, whoever makes the token; the server refuses what its maker may not do. */
const FOR_PROGRAMS = ['viewer', 'ingest'];

function Secret({ name, secret }: { name: string; secret: string }) {
  return (
    <Alert severity="success" data-testid="secret">
      The secret of {name}. Copy it now: it is not shown again.
      <Box component="code" sx={{ display: 'block', mt: 0.5, fontFamily: MONO, userSelect: 'all', overflowWrap: 'anywhere' }}>
        {secret}
      </Box>
    </Alert>
  );
}

function NewTokenForm() {
  const client = useQueryClient();
  const own = useSession().data?.roles ?? [];
  const [name, setName] = useState('');
  const [role, setRole] = useState('viewer');
  const [days, setDays] = useState(90);
  const create = useMutation({
    mutationFn: () => createToken({ name, roles: [role], lifetime_seconds: days * DAY }),
    onSuccess: async () => {
      setName('');
      await client.invalidateQueries(TOKENS_KEY);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Stack spacing={1.5}>
      <Paper variant="outlined" component="form" onSubmit={submit} sx={{ display: 'flex', gap: 1.5, p: 2, alignItems: 'center', flexWrap: 'wrap' }}>
        <TextField label="Name" required value={name} onChange={(event) => setName(event.target.value)} placeholder="grafana" />
        <TextField select label="Role" value={role} onChange={(event) => setRole(event.target.value)} sx={{ minWidth: 160 }}>
          {[...new Set([...FOR_PROGRAMS, ...own])].map((one) => (
            <MenuItem key={one} value={one}>
              {one.replaceAll('_', ' ')}
            </MenuItem>
          ))}
        </TextField>
        <TextField select label="Lives" value={days} onChange={(event) => setDays(Number(event.target.value))} sx={{ minWidth: 110 }}>
          {LIFETIMES.map((one) => (
            <MenuItem key={one} value={one}>
              {one} days
            </MenuItem>
          ))}
        </TextField>
        <Button type="submit" variant="contained" size="medium" disabled={create.isLoading}>
          Create token
        </Button>
      </Paper>
      {create.isError && <Alert severity="error">{(create.error as Error).message}</Alert>}
      {create.data && <Secret name={create.data.name} secret={create.data.secret} />}
    </Stack>
  );
}

function TokenRow({ token }: { token: Token }) {
  const client = useQueryClient();
  const announce = useAnnounce();
  const revoke = useMutation({
    mutationFn: () => revokeToken(token.token_id),
    onSuccess: () => client.invalidateQueries(TOKENS_KEY),
    onError: (error: Error) => announce(error.message, 'error'),
  });
  const isOver = new Date(token.expires_at) <= new Date();
  return (
    <TableRow hover>
      <TableCell>{token.name}</TableCell>
      <TableCell>{token.roles.join(', ').replaceAll('_', ' ')}</TableCell>
      <TableCell>
        <Time at={token.created_at} />
      </TableCell>
      <TableCell sx={{ color: isOver ? 'warning.main' : undefined }}>
        {isOver ? 'expired' : formatUtc(new Date(token.expires_at))}
      </TableCell>
      <TableCell align="right">
        <Button color="error" disabled={revoke.isLoading} onClick={() => revoke.mutate()} aria-label={`Revoke ${token.name}`}>
          Revoke
        </Button>
      </TableCell>
    </TableRow>
  );
}

function TokenTable({ tokens }: { tokens: Token[] }) {
  if (tokens.length === 0) {
    return (
      <EmptyState icon={mdiKeyOutline} title="No token yet">
        Programs send one as bearer token, or as the password of Basic authentication.
      </EmptyState>
    );
  }
  return (
    <Table size="small" aria-label="API tokens">
      <TableHead>
        <TableRow>
          {['Name', 'Roles', 'Created', 'Expires', ''].map((head) => (
            <TableCell key={head}>{head}</TableCell>
          ))}
        </TableRow>
      </TableHead>
      <TableBody>
        {tokens.map((token) => (
          <TokenRow key={token.token_id} token={token} />
        ))}
      </TableBody>
    </Table>
  );
}

/** One's own API tokens: make one for a program, end one. */
export default function TokensPage() {
  const tokens = useTokens();
  return (
    <Page title="API tokens">
      <Stack spacing={2}>
        <NewTokenForm />
        {tokens.data ? (
          <Paper variant="outlined" sx={{ overflow: 'auto' }}>
            <TokenTable tokens={tokens.data} />
          </Paper>
        ) : tokens.isError ? (
          <ErrorPanel error={tokens.error} retry={() => void tokens.refetch()} />
        ) : (
          <Skeleton variant="rounded" height={160} aria-label="Loading" />
        )}
      </Stack>
    </Page>
  );
}
