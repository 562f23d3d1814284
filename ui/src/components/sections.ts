import { mdiBellOutline, mdiChartLine, mdiFireAlert, mdiTarget, mdiViewDashboardOutline } from '@mdi/js';

export interface Section {
  path: string;
  name: string;
  icon: string;
  /** The second key of the `g …` shortcut. */
  key: string;
  hint: string;
}

/** The sections of the client in the order in which they are offered everywhere. */
export const SECTIONS: Section[] = [
  { path: '/', name: 'Overview', icon: mdiViewDashboardOutline, key: 'o', hint: 'Health of workflows and services' },
  { path: '/alerts', name: 'Alerts', icon: mdiBellOutline, key: 'a', hint: 'What fires, and what is about to' },
  { path: '/incidents', name: 'Incidents', icon: mdiFireAlert, key: 'i', hint: 'Who is on what' },
  { path: '/explore', name: 'Explore', icon: mdiChartLine, key: 'e', hint: 'PromQL and charts' },
  { path: '/targets', name: 'Targets', icon: mdiTarget, key: 't', hint: 'What is scraped, and how it goes' },
];
