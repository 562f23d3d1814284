import { expect, it } from 'vitest';

import { storyPart } from './storyPart';

it.each([
  ['alert.firing', 'rule:g/r', 'alerts'],
  ['incident.alert_attached', 'service:incidents', 'alerts'],
  ['delivery.failed', 'service:distribution', 'telling'],
  ['incident.commented', 'person:ada', 'people'],
  ['incident.resolved', 'person:ada', 'people'],
  ['incident.resolved', 'service:incidents', null],
  ['incident.opened', 'service:incidents', null],
])('puts %s by %s where people look for it', (type, actor, part) => {
  expect(storyPart(type, actor)).toBe(part);
});
