import { mdiChevronLeft } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Paper from '@mui/material/Paper';
import Skeleton from '@mui/material/Skeleton';
import Stack from '@mui/material/Stack';
import Typography from '@mui/material/Typography';
import { useRef, useState } from 'react';
import { Link, useParams } from 'react-router-dom';

import { useIncident, useIncidentAction, type IncidentAction, type IncidentDetail } from '../api/incidents';
import { useMay } from '../api/session';
import { ErrorPanel } from '../components/ErrorPanel';
import { Icon } from '../components/Icon';
import { Composer } from '../components/incidents/Composer';
import { Evidence } from '../components/incidents/Evidence';
import { NoteDialog } from '../components/incidents/NoteDialog';
import { Rail } from '../components/incidents/Rail';
import { StatusStepper } from '../components/incidents/StatusStepper';
import { Story } from '../components/incidents/Story';
import { useHotkeys } from '../hooks/useHotkeys';
import { useTitle } from '../hooks/useTitle';

type Question = { kind: 'resolve' } | { kind: 'reopen' } | { kind: 'severity'; severity: string };

interface ActionsProps {
  incident: IncidentDetail;
  mayRespond: boolean;
  mayCommand: boolean;
  acknowledge: () => void;
  ask: (question: Question) => void;
}

function Actions({ incident, mayRespond, mayCommand, acknowledge, ask }: ActionsProps) {
  return (
    <Stack direction="row" spacing={1}>
      {incident.status === 'open' && (
        <Button variant="contained" disabled={!mayRespond} onClick={acknowledge}>
          Acknowledge
        </Button>
      )}
      {incident.status === 'resolved' ? (
        <Button variant="outlined" disabled={!mayCommand} onClick={() => ask({ kind: 'reopen' })}>
          Re-open
        </Button>
      ) : (
        <Button variant={incident.status === 'acknowledged' ? 'contained' : 'outlined'} disabled={!mayCommand} onClick={() => ask({ kind: 'resolve' })}>
          Resolve
        </Button>
      )}
    </Stack>
  );
}

function Head({ incident, actions }: { incident: IncidentDetail; actions: React.ReactNode }) {
  return (
    <Box component="header" sx={{ mb: 2 }}>
      <Typography variant="caption" component={Link} to="/incidents" sx={{ display: 'inline-flex', alignItems: 'center', ml: -0.5, mb: 0.5, color: 'text.secondary', textDecoration: 'none', '&:hover': { color: 'text.primary' } }}>
        <Icon path={mdiChevronLeft} sx={{ fontSize: 16 }} /> Incidents
      </Typography>
      <Box sx={{ display: 'flex', alignItems: 'flex-start', gap: 2, flexWrap: 'wrap' }}>
        <Typography variant="h1" sx={{ flex: 1, minWidth: 240, overflowWrap: 'anywhere' }}>
          <Box component="span" sx={{ color: 'text.secondary', fontWeight: 500, mr: 1 }}>
            #{incident.number}
          </Box>
          {incident.title}
        </Typography>
        {actions}
      </Box>
      <Box sx={{ mt: 1.75 }}>
        <StatusStepper incident={incident} />
      </Box>
    </Box>
  );
}

const QUESTIONS = {
  resolve: { label: 'What ended it (optional)', confirm: 'Resolve' },
  reopen: { label: 'Why (optional)', confirm: 'Re-open' },
  severity: { label: 'Why (optional)', confirm: 'Change' },
};

function titleOf(question: Question, number: number): string {
  return question.kind === 'severity' ? `Change severity of #${number} to ${question.severity}` : `${QUESTIONS[question.kind].confirm} incident #${number}`;
}

function answerTo(question: Question, note: string): IncidentAction {
  switch (question.kind) {
    case 'resolve':
      return { verb: 'resolve', body: { note } };
    case 'reopen':
      return { verb: 'reopen', body: { reason: note } };
    case 'severity':
      return { verb: 'severity', body: { severity: question.severity, reason: note } };
  }
}

function Content({ incident }: { incident: IncidentDetail }) {
  const id = incident.incident_id;
  const action = useIncidentAction(id);
  const comment = useRef<HTMLTextAreaElement>(null);
  const [question, setQuestion] = useState<Question | null>(null);
  const mayRespond = useMay('incidents:respond');
  const mayCommand = useMay('incidents:command');
  const acknowledge = () => action.mutate({ verb: 'acknowledge', body: { note: '' } });
  useHotkeys({
    a: () => mayRespond && incident.status === 'open' && acknowledge(),
    c: () => comment.current?.focus(),
    r: () => mayCommand && setQuestion({ kind: incident.status === 'resolved' ? 'reopen' : 'resolve' }),
  });
  return (
    <>
      <Head incident={incident} actions={<Actions {...{ incident, mayRespond, mayCommand, acknowledge }} ask={setQuestion} />} />
      {action.isError && (
        <Alert severity="error" onClose={() => action.reset()} sx={{ mb: 2 }}>
          {(action.error as Error).message}
        </Alert>
      )}
      <Box sx={{ display: 'grid', gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'minmax(0, 1fr) 320px' }, gap: 2, alignItems: 'start' }}>
        <Stack spacing={2} sx={{ minWidth: 0 }}>
          <Evidence incident={incident} />
          <Paper variant="outlined" component="section" aria-label="What happened" sx={{ p: 2.5 }}>
            <Typography variant="h2" sx={{ mb: 1.5 }}>
              What happened
            </Typography>
            {mayRespond && <Composer field={comment} sending={action.isLoading} send={(text) => action.mutateAsync({ verb: 'comment', body: { text } })} />}
            <Story id={id} />
          </Paper>
        </Stack>
        <Box sx={{ position: { md: 'sticky' }, top: 16, order: { xs: -1, md: 0 } }}>
          <Rail incident={incident} mayRespond={mayRespond} mayCommand={mayCommand} act={action.mutate} askSeverity={(severity) => setQuestion({ kind: 'severity', severity })} />
        </Box>
      </Box>
      {question && (
        <NoteDialog
          title={titleOf(question, incident.number)}
          {...QUESTIONS[question.kind]}
          close={() => setQuestion(null)}
          done={(note) => action.mutate(answerTo(question, note))}
        />
      )}
    </>
  );
}

/** One incident: where it stands, what happened, what to do. */
export default function IncidentPage() {
  const { id = '' } = useParams();
  const incident = useIncident(id);
  useTitle(incident.data ? `#${incident.data.number} ${incident.data.title}` : 'Incident');
  return (
    <Box sx={{ px: { xs: 2, md: 3 }, pt: 2, pb: 5, maxWidth: 1680, mx: 'auto' }}>
      {incident.data ? (
        <Content key={id} incident={incident.data} />
      ) : incident.isError ? (
        <ErrorPanel error={incident.error} retry={() => void incident.refetch()} />
      ) : (
        <Skeleton variant="rounded" height={420} aria-label="Loading" />
      )}
    </Box>
  );
}
