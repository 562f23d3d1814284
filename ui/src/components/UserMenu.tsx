import { mdiAccountCircleOutline, mdiKeyboardOutline, mdiKeyOutline, mdiLockReset, mdiLogout, mdiThemeLightDark, mdiWeatherNight, mdiWhiteBalanceSunny } from '@mdi/js';
import Box from '@mui/material/Box';
import ButtonBase from '@mui/material/ButtonBase';
import Divider from '@mui/material/Divider';
import ListItemIcon from '@mui/material/ListItemIcon';
import ListItemText from '@mui/material/ListItemText';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import Typography from '@mui/material/Typography';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useNavigate } from 'react-router-dom';

import { SESSION_KEY, signOut, useSession, WITHOUT_SIGN_IN } from '../api/session';
import { useAnnounce } from '../hooks/useAnnounce';
import { useMode, type ModeChoice } from '../hooks/useMode';
import { Icon } from './Icon';

const MODES: { choice: ModeChoice; name: string; icon: string }[] = [
  { choice: 'system', name: 'Match the system', icon: mdiThemeLightDark },
  { choice: 'light', name: 'Light', icon: mdiWhiteBalanceSunny },
  { choice: 'dark', name: 'Dark', icon: mdiWeatherNight },
];

/** Returns the function that ends the session and forgets all that was shown in it. */
export function useSignOut(): () => void {
  const client = useQueryClient();
  const announce = useAnnounce();
  return () => {
    signOut()
      .then(() => {
        client.setQueryData(SESSION_KEY, null);
        client.removeQueries({ predicate: (query) => query.queryKey[0] !== SESSION_KEY[0] });
      })
      .catch((error: Error) => announce(`Signing out failed: ${error.message}`, 'error'));
  };
}

/** Who is signed in; theme, password, shortcuts and sign-out behind it. */
export function UserMenu({ openHelp }: { openHelp: () => void }) {
  const user = useSession().data;
  const anchor = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const { choice, choose } = useMode();
  const navigate = useNavigate();
  const leave = useSignOut();
  const close = () => setOpen(false);
  const pick = (then: () => void) => () => {
    close();
    then();
  };
  return (
    <>
      <ButtonBase
        ref={anchor}
        onClick={() => setOpen(true)}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label="User menu"
        sx={{ display: 'flex', gap: 1.25, px: 1.25, height: 40, borderRadius: '8px', justifyContent: { xs: 'center', md: 'flex-start' }, '&:hover': { bgcolor: 'surface.hover' } }}
      >
        <Icon path={mdiAccountCircleOutline} sx={{ color: 'text.secondary' }} />
        <Box sx={{ textAlign: 'left', minWidth: 0, display: { xs: 'none', md: 'block' } }}>
          <Typography variant="body2" noWrap sx={{ fontWeight: 560, lineHeight: 1.25 }}>
            {user?.login}
          </Typography>
          <Typography variant="caption" noWrap color="text.secondary" sx={{ lineHeight: 1.2, display: 'block', fontSize: '0.6875rem' }}>
            {user?.roles.join(', ').replaceAll('_', ' ')}
          </Typography>
        </Box>
      </ButtonBase>
      <Menu
        open={open}
        anchorEl={anchor.current}
        onClose={close}
        anchorOrigin={{ vertical: 'top', horizontal: 'left' }}
        transformOrigin={{ vertical: 'bottom', horizontal: 'left' }}
        slotProps={{ paper: { sx: { width: 230 } } }}
      >
        {MODES.map((mode) => (
          <MenuItem key={mode.choice} selected={choice === mode.choice} role="menuitemradio" aria-checked={choice === mode.choice} onClick={pick(() => choose(mode.choice))}>
            <ListItemIcon>
              <Icon path={mode.icon} />
            </ListItemIcon>
            <ListItemText>{mode.name}</ListItemText>
          </MenuItem>
        ))}
        <Divider />
        <MenuItem onClick={pick(openHelp)}>
          <ListItemIcon>
            <Icon path={mdiKeyboardOutline} />
          </ListItemIcon>
          Keyboard shortcuts
        </MenuItem>
        {user?.login !== WITHOUT_SIGN_IN && [
          <MenuItem key="tokens" onClick={pick(() => navigate('/tokens'))}>
            <ListItemIcon>
              <Icon path={mdiKeyOutline} />
            </ListItemIcon>
            API tokens
          </MenuItem>,
          <MenuItem key="password" onClick={pick(() => navigate('/password'))}>
            <ListItemIcon>
              <Icon path={mdiLockReset} />
            </ListItemIcon>
            Change password
          </MenuItem>,
          <MenuItem key="leave" onClick={pick(leave)}>
            <ListItemIcon>
              <Icon path={mdiLogout} />
            </ListItemIcon>
            Sign out
          </MenuItem>,
        ]}
      </Menu>
    </>
  );
}
