import Box from '@mui/material/Box';
import CircularProgress from '@mui/material/CircularProgress';
import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect } from 'react';
import { Navigate, Route, Routes } from 'react-router-dom';

import { SIGNED_OUT_EVENT } from './api/http';
import { SESSION_KEY, useSession } from './api/session';
import { ErrorPanel } from './components/ErrorPanel';
import { Shell } from './components/Shell';
import { LoginPage } from './pages/LoginPage';

const OverviewPage = lazy(() => import('./pages/OverviewPage'));
const AlertsPage = lazy(() => import('./pages/AlertsPage'));
const IncidentsPage = lazy(() => import('./pages/IncidentsPage'));
const IncidentPage = lazy(() => import('./pages/IncidentPage'));
const ExplorePage = lazy(() => import('./pages/ExplorePage'));
const TargetsPage = lazy(() => import('./pages/TargetsPage'));
const TokensPage = lazy(() => import('./pages/TokensPage'));
const PasswordPage = lazy(() => import('./pages/PasswordPage'));
const NotFoundPage = lazy(() => import('./pages/NotFoundPage'));

function useSignedOutReset(): void {
  const client = useQueryClient();
  useEffect(() => {
    const reset = () => client.setQueryData(SESSION_KEY, null);
    window.addEventListener(SIGNED_OUT_EVENT, reset);
    return () => window.removeEventListener(SIGNED_OUT_EVENT, reset);
  }, [client]);
}

function Waiting() {
  return (
    <Box sx={{ display: 'grid', placeItems: 'center', height: '100vh' }}>
      <CircularProgress aria-label="Loading" size={28} />
    </Box>
  );
}

/** The client: sign-in first, then the pages. */
export function App() {
  useSignedOutReset();
  const session = useSession();
  if (session.isLoading) return <Waiting />;
  if (session.isError) return <ErrorPanel error={session.error} retry={() => void session.refetch()} />;
  if (!session.data) return <LoginPage />;
  if (session.data.must_change_password) {
    return (
      <Suspense fallback={<Waiting />}>
        <PasswordPage forced />
      </Suspense>
    );
  }
  return (
    <Routes>
      <Route element={<Shell />}>
        <Route index element={<OverviewPage />} />
        <Route path="alerts" element={<AlertsPage />} />
        <Route path="incidents" element={<IncidentsPage />} />
        <Route path="incidents/:id" element={<IncidentPage />} />
        <Route path="explore" element={<ExplorePage />} />
        <Route path="targets" element={<TargetsPage />} />
        <Route path="tokens" element={<TokensPage />} />
        <Route path="password" element={<PasswordPage />} />
        <Route path="login" element={<Navigate to="/" replace />} />
        <Route path="*" element={<NotFoundPage />} />
      </Route>
    </Routes>
  );
}
