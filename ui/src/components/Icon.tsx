import SvgIcon, { type SvgIconProps } from '@mui/material/SvgIcon';

/** One glyph of the icon set; decorative unless it gets a `titleAccess`. */
export function Icon({ path, ...rest }: SvgIconProps & { path: string }) {
  return (
    <SvgIcon fontSize="small" {...rest}>
      <path d={path} />
    </SvgIcon>
  );
}
