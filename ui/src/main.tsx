import './fonts.css';
import 'uplot/dist/uPlot.min.css';

import CssBaseline from '@mui/material/CssBaseline';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router-dom';

import { ApiError } from './api/http';
import { App } from './App';
import { AnnounceProvider } from './hooks/useAnnounce';
import { ModeProvider } from './hooks/useMode';

function worthRetrying(failures: number, error: unknown): boolean {
  const hopeless = error instanceof ApiError && error.status >= 400 && error.status < 500;
  return !hopeless && failures < 2;
}

const client = new QueryClient({ defaultOptions: { queries: { retry: worthRetrying, staleTime: 2_000 } } });
const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <ModeProvider>
        <CssBaseline enableColorScheme />
        <AnnounceProvider>
          <BrowserRouter>
            <App />
          </BrowserRouter>
        </AnnounceProvider>
      </ModeProvider>
    </QueryClientProvider>
  </StrictMode>,
);
