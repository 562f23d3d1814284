import { Page } from '../components/Page';

export default function ExplorePage() {
  return <Page title="Explore">{null}</Page>;
}
