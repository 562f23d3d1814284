import { mdiBookOpenPageVariantOutline, mdiChartLine, mdiChevronDown, mdiChevronRight } from '@mdi/js';
import Box from '@mui/material/Box';
import Collapse from '@mui/material/Collapse';
import IconButton from '@mui/material/IconButton';
import Paper from '@mui/material/Paper';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import { useState, type ReactNode } from 'react';
import { Link } from 'react-router-dom';

import { explorerPath } from '../../lib/explorerState';
import type { AlertGroup } from '../../lib/groupAlerts';
import { parseThreshold } from '../../lib/parseThreshold';
import { safeHref } from '../../lib/safeHref';
import { toneOf } from '../../lib/toneOf';
import { MONO } from '../../theme';
import { Icon } from '../Icon';
import { ToneChip } from '../ToneChip';

const STATES = ['firing', 'pending', 'resolved'] as const;

/** One alerting rule with its counts and its alerts. */
export function RuleGroupCard({ group, children }: { group: AlertGroup; children: ReactNode }) {
  const [open, setOpen] = useState(true);
  const [first] = group.alerts;
  const expr = first?.expr ?? '';
  const runbook = safeHref(first?.annotations.runbook_url);
  return (
    <Paper variant="outlined" component="section" aria-label={group.rule} data-testid="rule" data-rule={group.rule} sx={{ overflow: 'hidden' }}>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1, px: 1, py: 0.875, minHeight: 46 }}>
        <IconButton size="small" aria-expanded={open} aria-label={`${open ? 'Hide' : 'Show'} the alerts of ${group.rule}`} onClick={() => setOpen(!open)}>
          <Icon path={open ? mdiChevronDown : mdiChevronRight} />
        </IconButton>
        <Typography variant="h2" noWrap sx={{ flexShrink: 0, maxWidth: '40%' }}>
          {group.rule}
        </Typography>
        {group.severity && <ToneChip word={group.severity} variant="outlined" sx={{ bgcolor: 'transparent' }} />}
        {STATES.filter((state) => group.counts[state] > 0).map((state) => (
          <ToneChip key={state} word={`${group.counts[state]} ${state}`} tone={toneOf(state)} />
        ))}
        <Typography variant="caption" color="text.secondary" noWrap title={expr} sx={{ fontFamily: MONO, ml: 1, minWidth: 0, flex: 1, display: { xs: 'none', md: 'block' } }}>
          {expr}
        </Typography>
        <Box sx={{ ml: 'auto', display: 'flex' }}>
          {runbook && (
            <Tooltip title="Runbook">
              <IconButton size="small" component="a" href={runbook} target="_blank" rel="noreferrer" aria-label={`Runbook of ${group.rule}`}>
                <Icon path={mdiBookOpenPageVariantOutline} />
              </IconButton>
            </Tooltip>
          )}
          <Tooltip title="Open the expression in the explorer">
            <IconButton size="small" component={Link} to={explorerPath(parseThreshold(expr)?.expr ?? expr)} aria-label={`Explore the expression of ${group.rule}`}>
              <Icon path={mdiChartLine} />
            </IconButton>
          </Tooltip>
        </Box>
      </Box>
      <Collapse in={open} unmountOnExit>
        {children}
      </Collapse>
    </Paper>
  );
}
