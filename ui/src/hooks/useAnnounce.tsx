import Alert from '@mui/material/Alert';
import Snackbar from '@mui/material/Snackbar';
import { createContext, useCallback, useContext, useState, type ReactNode } from 'react';

interface Announcement {
  text: string;
  severity: 'success' | 'error' | 'info';
}

type Announce = (text: string, severity?: Announcement['severity']) => void;

const AnnounceContext = createContext<Announce>(() => undefined);

/** Shows short messages at the foot of the page, and says them to screen readers. */
export function AnnounceProvider({ children }: { children: ReactNode }) {
  const [message, setMessage] = useState<Announcement | null>(null);
  const announce = useCallback<Announce>((text, severity = 'success') => setMessage({ text, severity }), []);
  const close = () => setMessage(null);
  return (
    <AnnounceContext.Provider value={announce}>
      {children}
      <Snackbar open={message !== null} autoHideDuration={message?.severity === 'error' ? 9000 : 3500} onClose={close}>
        {message ? (
          <Alert severity={message.severity} variant="filled" onClose={close}>
            {message.text}
          </Alert>
        ) : undefined}
      </Snackbar>
    </AnnounceContext.Provider>
  );
}

/** Returns the function that shows a message. */
export function useAnnounce(): Announce {
  return useContext(AnnounceContext);
}
