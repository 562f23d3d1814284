import { createTheme, type Theme } from '@mui/material/styles';

export type Mode = 'light' | 'dark';

/** How serious something is, for colours: the one vocabulary of every chip, dot and strip. */
export type Tone = 'critical' | 'warning' | 'info' | 'ok' | 'unknown';

interface TonePalette {
  main: string;
  soft: string;
}

declare module '@mui/material/styles' {
  interface Palette {
    tone: Record<Tone, TonePalette>;
    series: string[];
    surface: { sunken: string; raised: string; hover: string };
  }
  interface PaletteOptions {
    tone: Record<Tone, TonePalette>;
    series: string[];
    surface: { sunken: string; raised: string; hover: string };
  }
}

export const MONO = "'JetBrains Mono', ui-monospace, SFMono-Regular, Menlo, Consolas, monospace";
const SANS = "'Inter', system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

const DARK = {
  primary: { main: '#7fa7ff', contrastText: '#0b1020' },
  error: { main: '#ff7b76' },
  warning: { main: '#f2b35b' },
  info: { main: '#74b3ff' },
  success: { main: '#56c893' },
  background: { default: '#0d1015', paper: '#14181f' },
  divider: '#252b35',
  text: { primary: '#e7eaf0', secondary: '#9ca6b5' },
  tone: {
    critical: { main: '#ff7b76', soft: 'rgba(255, 107, 102, 0.14)' },
    warning: { main: '#f2b35b', soft: 'rgba(242, 179, 91, 0.13)' },
    info: { main: '#74b3ff', soft: 'rgba(116, 179, 255, 0.13)' },
    ok: { main: '#56c893', soft: 'rgba(86, 200, 147, 0.12)' },
    unknown: { main: '#98a2b1', soft: 'rgba(152, 162, 177, 0.14)' },
  },
  series: ['#7fa7ff', '#f2b35b', '#56c893', '#e985c5', '#62cfe0', '#b493ff', '#ff8f70', '#c3d15a', '#9db2cc', '#d9a5a0'],
  surface: { sunken: '#0a0d11', raised: '#1a1f28', hover: 'rgba(150, 170, 205, 0.07)' },
};

const LIGHT: typeof DARK = {
  primary: { main: '#2c5fd0', contrastText: '#ffffff' },
  error: { main: '#c3342f' },
  warning: { main: '#8f5a00' },
  info: { main: '#1b66bb' },
  success: { main: '#17774a' },
  background: { default: '#f5f6f8', paper: '#ffffff' },
  divider: '#e1e4ea',
  text: { primary: '#181d26', secondary: '#566172' },
  tone: {
    critical: { main: '#c3342f', soft: '#fdecea' },
    warning: { main: '#8f5a00', soft: '#fdf2dc' },
    info: { main: '#1b66bb', soft: '#e7f1fc' },
    ok: { main: '#17774a', soft: '#e5f5ec' },
    unknown: { main: '#566172', soft: '#eceff3' },
  },
  series: ['#2c5fd0', '#b86e00', '#17855a', '#b83b8d', '#0d7f93', '#7145d1', '#c9502a', '#6d7a12', '#55708f', '#96524c'],
  surface: { sunken: '#eef0f4', raised: '#ffffff', hover: 'rgba(30, 50, 90, 0.045)' },
};

/** Returns the one theme of the client, dark or light. */
export function themeFor(mode: Mode): Theme {
  const colours = mode === 'dark' ? DARK : LIGHT;
  return createTheme({
    palette: { mode, ...colours },
    breakpoints: { values: { xs: 0, sm: 600, md: 900, lg: 1080, xl: 1500 } },
    shape: { borderRadius: 8 },
    typography: {
      fontFamily: SANS,
      fontSize: 13,
      h1: { fontSize: '1.25rem', fontWeight: 650, letterSpacing: '-0.012em', lineHeight: 1.3 },
      h2: { fontSize: '1rem', fontWeight: 620, letterSpacing: '-0.006em', lineHeight: 1.4 },
      h3: { fontSize: '0.875rem', fontWeight: 620, lineHeight: 1.4 },
      body1: { fontSize: '0.875rem', lineHeight: 1.5 },
      body2: { fontSize: '0.8125rem', lineHeight: 1.5 },
      caption: { fontSize: '0.75rem', lineHeight: 1.45 },
      overline: { fontSize: '0.6875rem', fontWeight: 600, letterSpacing: '0.06em', lineHeight: 1.6 },
      button: { textTransform: 'none', fontWeight: 560, letterSpacing: 0 },
    },
    components: {
      MuiCssBaseline: {
        styleOverrides: {
          body: { fontFeatureSettings: "'cv05', 'cv11', 'ss03'", fontVariantLigatures: 'none', WebkitFontSmoothing: 'antialiased' },
          ':focus-visible': { outline: `2px solid ${colours.primary.main}`, outlineOffset: 2 },
          a: { color: colours.primary.main },
          '@media (prefers-reduced-motion: reduce)': {
            '*': { animation: 'none !important', transition: 'none !important' },
          },
        },
      },
      MuiPaper: { defaultProps: { elevation: 0 }, styleOverrides: { root: { backgroundImage: 'none' }, outlined: { borderColor: colours.divider } } },
      MuiButtonBase: {
        defaultProps: { disableRipple: true },
        styleOverrides: { root: { '&.Mui-focusVisible': { outline: `2px solid ${colours.primary.main}`, outlineOffset: 2 } } },
      },
      MuiButton: { defaultProps: { disableElevation: true, size: 'small' }, styleOverrides: { root: { borderRadius: 7, paddingInline: 12 } } },
      MuiTextField: { defaultProps: { size: 'small' } },
      MuiInputBase: {
        styleOverrides: { root: { fontSize: '0.84375rem' }, input: { '&::placeholder': { color: colours.text.secondary, opacity: 1 } } },
      },
      MuiInputLabel: { styleOverrides: { root: { fontSize: '0.84375rem' } } },
      MuiSelect: { defaultProps: { size: 'small' } },
      MuiTooltip: {
        defaultProps: { arrow: true, enterDelay: 350 },
        styleOverrides: { tooltip: { fontSize: '0.75rem', fontWeight: 450, backgroundColor: mode === 'dark' ? '#2b323d' : '#262d38', color: '#f4f6f9' }, arrow: { color: mode === 'dark' ? '#2b323d' : '#262d38' } },
      },
      MuiChip: { styleOverrides: { root: { borderRadius: 6, fontWeight: 520 }, sizeSmall: { height: 22, fontSize: '0.75rem' } } },
      MuiToggleButton: { styleOverrides: { root: { textTransform: 'none', paddingBlock: 3, paddingInline: 10, fontSize: '0.8125rem', fontWeight: 520 } } },
      MuiTableCell: {
        styleOverrides: {
          root: { borderColor: colours.divider, fontSize: '0.8125rem' },
          head: { color: colours.text.secondary, fontWeight: 560, fontSize: '0.75rem' },
        },
      },
      MuiDialog: { styleOverrides: { paper: { border: `1px solid ${colours.divider}`, borderRadius: 12 } } },
      MuiMenu: { styleOverrides: { paper: { border: `1px solid ${colours.divider}`, boxShadow: '0 12px 32px rgba(0, 0, 0, 0.28)' } } },
      MuiMenuItem: { styleOverrides: { root: { fontSize: '0.8125rem', minHeight: 34 } } },
    },
  });
}
