import { Page } from '../components/Page';

export default function TargetsPage() {
  return <Page title="Targets">{null}</Page>;
}
