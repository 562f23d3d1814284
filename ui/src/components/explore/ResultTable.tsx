import Box from '@mui/material/Box';
import Skeleton from '@mui/material/Skeleton';
import Table from '@mui/material/Table';
import TableBody from '@mui/material/TableBody';
import TableCell from '@mui/material/TableCell';
import TableContainer from '@mui/material/TableContainer';
import TableHead from '@mui/material/TableHead';
import TableRow from '@mui/material/TableRow';
import Typography from '@mui/material/Typography';
import { useQuery } from '@tanstack/react-query';

import { queryInstant, type QueryData } from '../../api/prometheus';
import { MONO } from '../../theme';
import { Time } from '../Time';

interface Row {
  labels: Record<string, string>;
  value: string;
  time: number;
}

const MAX_ROWS = 1000;

function rowsOf(answer: QueryData): Row[] {
  switch (answer.resultType) {
    case 'vector':
      return answer.result.map((one) => ({ labels: one.metric, time: one.value[0], value: one.value[1] }));
    case 'matrix':
      return answer.result.flatMap((one) => one.values.map(([time, value]) => ({ labels: one.metric, time, value })));
    default:
      return [{ labels: {}, time: answer.result[0], value: answer.result[1] }];
  }
}

function labelColumns(rows: Row[]): string[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.labels)))].sort();
  return names.includes('__name__') ? ['__name__', ...names.filter((name) => name !== '__name__')] : names;
}

/** What one query gives at the end of the range, a row a series. */
export function ResultTable({ letter, query, time }: { letter: string; query: string; time: number }) {
  const answer = useQuery({
    queryKey: ['instant', query, time],
    queryFn: ({ signal }) => queryInstant(query, time, signal),
    keepPreviousData: true,
    retry: false,
  });
  if (answer.isError) return null; // the query's own row says what is wrong
  if (!answer.data) return <Skeleton variant="rounded" height={120} />;
  const rows = rowsOf(answer.data);
  const labels = labelColumns(rows);
  return (
    <Box sx={{ mb: 2 }}>
      <Typography variant="caption" color="text.secondary" component="div" sx={{ px: 2, pt: 1.5 }}>
        {letter}: {rows.length} {rows.length === 1 ? 'row' : 'rows'} at <Time at={new Date(time * 1000).toISOString()} show="absolute" />
        {rows.length > MAX_ROWS ? `, the first ${MAX_ROWS} shown` : ''}
      </Typography>
      <TableContainer>
        <Table size="small" aria-label={`Result of query ${letter}`} sx={{ '& td, & th': { fontFamily: MONO, fontSize: '0.75rem' } }}>
          <TableHead>
            <TableRow>
              {labels.map((label) => (
                <TableCell key={label}>{label}</TableCell>
              ))}
              <TableCell align="right">value</TableCell>
            </TableRow>
          </TableHead>
          <TableBody>
            {rows.slice(0, MAX_ROWS).map((row, index) => (
              <TableRow key={index} hover>
                {labels.map((label) => (
                  <TableCell key={label}>{row.labels[label]}</TableCell>
                ))}
                <TableCell align="right">{row.value}</TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      </TableContainer>
    </Box>
  );
}
