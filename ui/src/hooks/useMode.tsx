import useMediaQuery from '@mui/material/useMediaQuery';
import { ThemeProvider } from '@mui/material/styles';
import { createContext, useContext, useMemo, type ReactNode } from 'react';

import { themeFor, type Mode } from '../theme';
import { useStored } from './useStored';

export type ModeChoice = Mode | 'system';

const ModeContext = createContext<{ choice: ModeChoice; mode: Mode; choose: (choice: ModeChoice) => void }>({
  choice: 'system',
  mode: 'dark',
  choose: () => undefined,
});

/** Gives the theme: the viewer's choice, remembered, or what the system prefers. */
export function ModeProvider({ children }: { children: ReactNode }) {
  const [stored, choose] = useStored('qvmon.mode');
  const prefersDark = useMediaQuery('(prefers-color-scheme: dark)', { noSsr: true });
  const choice: ModeChoice = stored === 'light' || stored === 'dark' ? stored : 'system';
  const mode = choice === 'system' ? (prefersDark ? 'dark' : 'light') : choice;
  const theme = useMemo(() => themeFor(mode), [mode]);
  const value = useMemo(() => ({ choice, mode, choose }), [choice, mode, choose]);
  return (
    <ModeContext.Provider value={value}>
      <ThemeProvider theme={theme}>{children}</ThemeProvider>
    </ModeContext.Provider>
  );
}

export function useMode() {
  return useContext(ModeContext);
}
