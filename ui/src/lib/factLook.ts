import {
  mdiAccountArrowRightOutline,
  mdiBellAlertOutline,
  mdiBellCheckOutline,
  mdiBellOffOutline,
  mdiBellRingOutline,
  mdiCheckCircleOutline,
  mdiCircleSmall,
  mdiCommentTextOutline,
  mdiEmailAlertOutline,
  mdiEmailOffOutline,
  mdiEmailOutline,
  mdiEyeCheckOutline,
  mdiFireAlert,
  mdiKeyOutline,
  mdiLinkVariant,
  mdiRefresh,
  mdiSendCheckOutline,
  mdiSwapVertical,
  mdiTrayArrowDown,
} from '@mdi/js';

import type { Tone } from '../theme';

const LOOKS: Record<string, [icon: string, tone: Tone]> = {
  'alert.pending': [mdiBellAlertOutline, 'warning'],
  'alert.firing': [mdiBellRingOutline, 'critical'],
  'alert.resolved': [mdiBellCheckOutline, 'ok'],
  'alert.cleared': [mdiBellOffOutline, 'unknown'],
  'incident.opened': [mdiFireAlert, 'critical'],
  'incident.alert_attached': [mdiLinkVariant, 'warning'],
  'incident.alert_resolved': [mdiBellCheckOutline, 'ok'],
  'incident.severity_changed': [mdiSwapVertical, 'warning'],
  'incident.acknowledged': [mdiEyeCheckOutline, 'info'],
  'incident.assigned': [mdiAccountArrowRightOutline, 'info'],
  'incident.commented': [mdiCommentTextOutline, 'info'],
  'incident.resolved': [mdiCheckCircleOutline, 'ok'],
  'incident.reopened': [mdiRefresh, 'critical'],
  'obligation.created': [mdiTrayArrowDown, 'unknown'],
  'notification.queued': [mdiEmailOutline, 'info'],
  'delivery.succeeded': [mdiSendCheckOutline, 'ok'],
  'delivery.failed': [mdiEmailAlertOutline, 'warning'],
  'delivery.dead': [mdiEmailOffOutline, 'critical'],
};

const BY_NOUN: Record<string, [icon: string, tone: Tone]> = {
  user: [mdiKeyOutline, 'unknown'],
  token: [mdiKeyOutline, 'unknown'],
  session: [mdiKeyOutline, 'unknown'],
};

function look(type: string): [icon: string, tone: Tone] {
  return LOOKS[type] ?? BY_NOUN[type.split('.')[0] ?? ''] ?? [mdiCircleSmall, 'unknown'];
}

/** Returns the glyph of a fact type. */
export function factIcon(type: string): string {
  return look(type)[0];
}

/** Returns the tone of a fact type. */
export function factTone(type: string): Tone {
  return look(type)[1];
}
