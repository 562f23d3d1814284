import { mdiMagnify } from '@mdi/js';
import Box from '@mui/material/Box';
import ButtonBase from '@mui/material/ButtonBase';
import Typography from '@mui/material/Typography';
import { NavLink } from 'react-router-dom';

import { useOverview } from '../api/overview';
import { Icon } from './Icon';
import { Kbd } from './Kbd';
import { LiveIndicator } from './LiveIndicator';
import { SECTIONS, type Section } from './sections';
import { UserMenu } from './UserMenu';

const WIDTH = 216;

function useCounts(): Record<string, number> {
  const overview = useOverview().data;
  return { '/alerts': overview?.firing_alerts ?? 0, '/incidents': overview?.open_incidents ?? 0 };
}

function RailLink({ section, count }: { section: Section; count: number }) {
  return (
    <ButtonBase
      component={NavLink}
      to={section.path}
      end={section.path === '/'}
      sx={{
        display: 'flex',
        justifyContent: { xs: 'center', md: 'flex-start' },
        gap: 1.25,
        px: 1.25,
        height: 36,
        borderRadius: '8px',
        color: 'text.secondary',
        fontSize: '0.84375rem',
        fontWeight: 520,
        textDecoration: 'none',
        position: 'relative',
        '&:hover': { bgcolor: 'surface.hover', color: 'text.primary' },
        '&.active': { bgcolor: 'surface.hover', color: 'text.primary', fontWeight: 600 },
        '&.active svg': { color: 'primary.main' },
      }}
    >
      <Icon path={section.icon} sx={{ fontSize: 19 }} />
      <Box component="span" sx={{ display: { xs: 'none', md: 'inline' } }}>
        {section.name}
      </Box>
      {count > 0 && (
        <Box
          component="span"
          sx={({ palette }) => ({
            ml: { md: 'auto' },
            position: { xs: 'absolute', md: 'static' },
            top: 1,
            right: 1,
            px: 0.75,
            minWidth: 20,
            textAlign: 'center',
            borderRadius: '10px',
            fontSize: '0.71875rem',
            lineHeight: '19px',
            fontWeight: 640,
            fontVariantNumeric: 'tabular-nums',
            color: palette.tone.critical.main,
            bgcolor: palette.tone.critical.soft,
          })}
        >
          {count}
        </Box>
      )}
    </ButtonBase>
  );
}

function Brand() {
  return (
    <Box sx={{ display: 'flex', alignItems: 'center', gap: 1.25, px: 1, height: 40, justifyContent: { xs: 'center', md: 'flex-start' } }}>
      <img src="/favicon.svg" width={26} height={26} alt="" />
      <Typography component="span" sx={{ fontWeight: 680, fontSize: '1rem', letterSpacing: '-0.02em', display: { xs: 'none', md: 'inline' } }}>
        qvmon
      </Typography>
    </Box>
  );
}

function PaletteButton({ open }: { open: () => void }) {
  return (
    <ButtonBase
      onClick={open}
      aria-label="Search and commands"
      sx={{
        display: 'flex',
        gap: 1,
        px: 1.25,
        height: 34,
        borderRadius: '8px',
        border: 1,
        borderColor: 'divider',
        color: 'text.secondary',
        fontSize: '0.8125rem',
        justifyContent: { xs: 'center', md: 'flex-start' },
        '&:hover': { borderColor: 'text.secondary' },
      }}
    >
      <Icon path={mdiMagnify} sx={{ fontSize: 17 }} />
      <Box component="span" sx={{ display: { xs: 'none', md: 'flex' }, flex: 1, justifyContent: 'space-between', alignItems: 'center' }}>
        Search <Kbd>Ctrl K</Kbd>
      </Box>
    </ButtonBase>
  );
}

/** The client's sections, the state of the live stream, and who is signed in. */
export function NavRail({ openPalette, openHelp }: { openPalette: () => void; openHelp: () => void }) {
  const counts = useCounts();
  return (
    <Box
      component="nav"
      aria-label="Sections"
      sx={{
        width: { xs: 60, md: WIDTH },
        flexShrink: 0,
        height: '100vh',
        position: 'sticky',
        top: 0,
        display: 'flex',
        flexDirection: 'column',
        gap: 1.25,
        p: { xs: 1, md: 1.5 },
        borderRight: 1,
        borderColor: 'divider',
        bgcolor: 'background.paper',
      }}
    >
      <Brand />
      <PaletteButton open={openPalette} />
      <Box sx={{ display: 'flex', flexDirection: 'column', gap: 0.375 }}>
        {SECTIONS.map((section) => (
          <RailLink key={section.path} section={section} count={counts[section.path] ?? 0} />
        ))}
      </Box>
      <Box sx={{ mt: 'auto', display: 'flex', flexDirection: 'column', gap: 0.75 }}>
        <LiveIndicator />
        <UserMenu openHelp={openHelp} />
      </Box>
    </Box>
  );
}
