import { mdiCompassOffOutline } from '@mdi/js';
import { Link } from 'react-router-dom';

import { EmptyState } from '../components/EmptyState';
import { Page } from '../components/Page';

/** An address that leads nowhere. */
export default function NotFoundPage() {
  return (
    <Page title="Not found">
      <EmptyState icon={mdiCompassOffOutline} title="No page lives here">
        <Link to="/">Go to the overview</Link>
      </EmptyState>
    </Page>
  );
}
