import Box from '@mui/material/Box';
import Dialog from '@mui/material/Dialog';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import Typography from '@mui/material/Typography';

import { Kbd } from './Kbd';
import { SECTIONS } from './sections';

const GROUPS: { name: string; keys: [keys: string[], does: string][] }[] = [
  {
    name: 'Anywhere',
    keys: [
      [['Ctrl', 'K'], 'Search and commands'],
      [['?'], 'This help'],
      [['Esc'], 'Close what is on top'],
    ],
  },
  { name: 'Go to', keys: SECTIONS.map((section) => [['g', section.key], section.name]) },
  {
    name: 'In lists',
    keys: [
      [['j'], 'Next row'],
      [['k'], 'Previous row'],
      [['Enter'], 'Open the row'],
    ],
  },
  {
    name: 'On an incident',
    keys: [
      [['a'], 'Acknowledge'],
      [['c'], 'Write a comment'],
      [['r'], 'Resolve'],
    ],
  },
  { name: 'In the explorer', keys: [[['Enter'], 'Run the queries'], [['Shift', 'Enter'], 'New line'], [['Ctrl', 'Space'], 'Complete']] },
];

/** All keyboard shortcuts on one sheet. */
export default function ShortcutHelp({ close }: { close: () => void }) {
  return (
    <Dialog open onClose={close} maxWidth="sm" fullWidth aria-labelledby="shortcut-help">
      <DialogTitle id="shortcut-help">Keyboard shortcuts</DialogTitle>
      <DialogContent sx={{ columns: { sm: 2 }, columnGap: 5 }}>
        {GROUPS.map((group) => (
          <Box key={group.name} sx={{ breakInside: 'avoid', mb: 2.5 }}>
            <Typography variant="overline" color="text.secondary">
              {group.name}
            </Typography>
            {group.keys.map(([keys, does]) => (
              <Box key={does} sx={{ display: 'flex', alignItems: 'center', justifyContent: 'space-between', py: 0.5 }}>
                <Typography variant="body2">{does}</Typography>
                <Box sx={{ display: 'flex', gap: 0.5 }}>
                  {keys.map((key) => (
                    <Kbd key={key}>{key}</Kbd>
                  ))}
                </Box>
              </Box>
            ))}
          </Box>
        ))}
      </DialogContent>
    </Dialog>
  );
}
