import { mdiBellOutline, mdiFireAlert, mdiKeyboardOutline, mdiLogout, mdiThemeLightDark } from '@mdi/js';
import Box from '@mui/material/Box';
import Dialog from '@mui/material/Dialog';
import InputBase from '@mui/material/InputBase';
import Typography from '@mui/material/Typography';
import { useMemo, useState, type KeyboardEvent } from 'react';
import { useNavigate } from 'react-router-dom';

import { useAlerts } from '../api/alerts';
import { useIncidents } from '../api/incidents';
import { useMode } from '../hooks/useMode';
import { explorerPath } from '../lib/explorerState';
import { fuzzyScore } from '../lib/fuzzyScore';
import { Icon } from './Icon';
import { Kbd } from './Kbd';
import { SECTIONS } from './sections';
import { useSignOut } from './UserMenu';

interface Command {
  id: string;
  text: string;
  hint: string;
  icon: string;
  run: () => void;
}

const SHOWN = 9;

function useCommands(openHelp: () => void): Command[] {
  const navigate = useNavigate();
  const incidents = useIncidents().data ?? [];
  const alerts = useAlerts().data ?? [];
  const { mode, choose } = useMode();
  const leave = useSignOut();
  return [
    ...SECTIONS.map((section) => ({ id: section.path, text: section.name, hint: section.hint, icon: section.icon, run: () => navigate(section.path) })),
    ...incidents.map((one) => ({ id: one.incident_id, text: `#${one.number} ${one.title}`, hint: one.status, icon: mdiFireAlert, run: () => navigate(`/incidents/${one.incident_id}`) })),
    ...alerts
      .filter((one) => one.state !== 'resolved')
      .map((one) => ({ id: one.alert_id, text: `${one.rule} ${one.service}`, hint: one.state, icon: mdiBellOutline, run: () => navigate(`/alerts?alert=${one.alert_id}`) })),
    { id: 'mode', text: `Switch to ${mode === 'dark' ? 'light' : 'dark'} theme`, hint: 'Appearance', icon: mdiThemeLightDark, run: () => choose(mode === 'dark' ? 'light' : 'dark') },
    { id: 'help', text: 'Keyboard shortcuts', hint: 'Help', icon: mdiKeyboardOutline, run: openHelp },
    { id: 'leave', text: 'Sign out', hint: 'Session', icon: mdiLogout, run: leave },
  ];
}

function rank(commands: Command[], query: string): Command[] {
  if (!query.trim()) return commands.slice(0, SHOWN);
  return commands
    .map((command) => ({ command, score: fuzzyScore(query, command.text) }))
    .filter((one): one is { command: Command; score: number } => one.score !== null)
    .sort((left, right) => right.score - left.score)
    .slice(0, SHOWN)
    .map((one) => one.command);
}

/** Finds a page, an incident, an alert or a command by a few of its letters. */
export default function CommandPalette({ close, openHelp }: { close: () => void; openHelp: () => void }) {
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const commands = useCommands(openHelp);
  const found = useMemo(() => {
    const ranked = rank(commands, query);
    const asQuery: Command = { id: 'query', text: `Query “${query}”`, hint: 'Explore', icon: SECTIONS[3]?.icon ?? '', run: () => navigate(explorerPath(query)) };
    return query.trim() && ranked.length < SHOWN ? [...ranked, asQuery] : ranked;
  }, [commands, query, navigate]);
  const run = (command: Command | undefined) => {
    if (!command) return;
    close();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt((at + 1) % Math.max(1, found.length));
    else if (event.key === 'ArrowUp') setAt((at + found.length - 1) % Math.max(1, found.length));
    else if (event.key === 'Enter') run(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog open onClose={close} fullWidth maxWidth="sm" aria-label="Search and commands" sx={{ '& .MuiDialog-container': { alignItems: 'flex-start', pt: '8vh' } }}>
      <InputBase
        autoFocus
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
        placeholder="Go to a page, find an incident or an alert…"
        inputProps={{ role: 'combobox', 'aria-expanded': true, 'aria-controls': 'palette', 'aria-label': 'Search and commands', 'aria-activedescendant': found[at] ? `palette-${found[at].id}` : undefined }}
        sx={{ px: 2.25, py: 1.5, fontSize: '0.96875rem', borderBottom: 1, borderColor: 'divider' }}
      />
      <Box id="palette" role="listbox" aria-label="Results" sx={{ p: 0.75 }}>
        {found.map((command, row) => (
          <Box
            key={command.id}
            id={`palette-${command.id}`}
            role="option"
            aria-selected={row === at}
            onClick={() => run(command)}
            onMouseMove={() => setAt(row)}
            sx={{ display: 'flex', alignItems: 'center', gap: 1.5, px: 1.5, height: 38, borderRadius: '7px', cursor: 'pointer', bgcolor: row === at ? 'action.selected' : undefined }}
          >
            <Icon path={command.icon} sx={{ fontSize: 18, color: 'text.secondary' }} />
            <Typography noWrap sx={{ flex: 1 }}>
              {command.text}
            </Typography>
            <Typography variant="caption" color="text.secondary" noWrap>
              {command.hint}
            </Typography>
          </Box>
        ))}
        {found.length === 0 && (
          <Typography color="text.secondary" sx={{ p: 2 }}>
            Nothing is called that.
          </Typography>
        )}
      </Box>
      <Box sx={{ display: 'flex', gap: 2, px: 2.25, py: 1, borderTop: 1, borderColor: 'divider', color: 'text.secondary', fontSize: '0.75rem', alignItems: 'center' }}>
        <span>
          <Kbd>↑</Kbd> <Kbd>↓</Kbd> choose
        </span>
        <span>
          <Kbd>Enter</Kbd> open
        </span>
        <span>
          <Kbd>Esc</Kbd> close
        </span>
      </Box>
    </Dialog>
  );
}
