export type StoryPart = 'people' | 'alerts' | 'telling';

const PEOPLE = new Set(['incident.acknowledged', 'incident.assigned', 'incident.commented']);

/** Returns which part of an incident's story a fact belongs to; `null` for milestones, always shown. */
export function storyPart(type: string, actor: string): StoryPart | null {
  if (type.startsWith('alert.') || type === 'incident.alert_attached' || type === 'incident.alert_resolved') return 'alerts';
  if (/^(obligation|notification|delivery)\./.test(type)) return 'telling';
  if (PEOPLE.has(type) || actor.startsWith('person:')) return 'people';
  return null;
}
