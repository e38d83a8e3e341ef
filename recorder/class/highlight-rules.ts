import type { HighlightRule } from '../../src/model/recording.ts';
import type { ClassEvent } from '../../src/protocol/class-event.ts';
import type { HighlightTrigger } from '../../src/protocol/highlight-trigger.ts';

/**
 * The triggers that a recording's rules make of an event: one for each rule on its type, with the event's participant and, unless the rule
 * has its own, its title. Whoever hears the event makes the same, ids included.
 */
export function planRuleTriggers(
  rules: readonly HighlightRule[],
  { type, eventId, atMs, participantId, title }: ClassEvent,
): readonly HighlightTrigger[] {
  return rules.flatMap(({ on, ...rule }, index) => {
    if (on !== type) return [];
    const trigger: HighlightTrigger = {
      ...rule,
      tags: rule.tags === undefined ? undefined : [...rule.tags],
      title: rule.title ?? title,
      participants: participantId === undefined ? undefined : [participantId],
      atMs,
      triggerId: eventId === undefined ? undefined : `rule-${index}-${type}-${eventId}`,
    };
    return [trigger];
  });
}
