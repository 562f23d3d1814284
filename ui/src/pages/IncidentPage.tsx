import { Page } from '../components/Page';

export default function IncidentPage() {
  return <Page title="Incident">{null}</Page>;
}
