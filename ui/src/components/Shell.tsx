import Box from '@mui/material/Box';
import LinearProgress from '@mui/material/LinearProgress';
import { lazy, Suspense, useState } from 'react';
import { Outlet, useNavigate } from 'react-router-dom';

import { LiveProvider } from '../api/live';
import { useHotkeys, type Hotkeys } from '../hooks/useHotkeys';
import { ErrorBoundary } from './ErrorBoundary';
import { NavRail } from './NavRail';
import { SECTIONS } from './sections';

const CommandPalette = lazy(() => import('./CommandPalette'));
const ShortcutHelp = lazy(() => import('./ShortcutHelp'));

/** What stands around every page of a signed-in person: sections, palette, keys, live stream. */
export function Shell() {
  const navigate = useNavigate();
  const [overlay, setOverlay] = useState<'palette' | 'help' | null>(null);
  const jumps: Hotkeys = Object.fromEntries(SECTIONS.map((section) => [`g ${section.key}`, () => navigate(section.path)]));
  useHotkeys({ ...jumps, 'mod+k': () => setOverlay('palette'), '?': () => setOverlay('help') });
  const close = () => setOverlay(null);
  return (
    <LiveProvider>
      <Box sx={{ display: 'flex', minHeight: '100vh' }}>
        <Box
          component="a"
          href="#content"
          sx={{ position: 'absolute', left: -9999, '&:focus': { left: 8, top: 8, zIndex: 2000, bgcolor: 'background.paper', p: 1 } }}
        >
          Skip to content
        </Box>
        <NavRail openPalette={() => setOverlay('palette')} openHelp={() => setOverlay('help')} />
        <Box component="main" id="content" tabIndex={-1} sx={{ flex: 1, minWidth: 0, outline: 'none' }}>
          <ErrorBoundary>
            <Suspense fallback={<LinearProgress aria-label="Loading the page" />}>
              <Outlet />
            </Suspense>
          </ErrorBoundary>
        </Box>
      </Box>
      <Suspense fallback={null}>
        {overlay === 'palette' && <CommandPalette close={close} openHelp={() => setOverlay('help')} />}
        {overlay === 'help' && <ShortcutHelp close={close} />}
      </Suspense>
    </LiveProvider>
  );
}
