/** What clients want to do, which is the same for every server: it stands above what became of it. */
import type { Step } from '../lesson.ts';
import type { Event } from '../trace.ts';
import type { Story } from './story.ts';

/**
 * A story whose clients also send what they could not send, because their connection was gone. Without it the
 * script would tell whose connection breaks, and nobody would have to guess.
 *
 * @param script - of the lesson that the story is a recording of
 */
export function withPlan(story: Story, script: readonly Step[]): Story {
  return {
    ...story,
    clients: story.clients.map((lane) => {
      const sent = lane.events.filter(({ did }) => did === 'send').length;
      const wanted = script
        .filter(({ who, do: what }) => who === lane.id && what === 'send')
        .slice(sent)
        .map(asEvent);
      if (wanted.length === 0) return lane;
      const events = [...lane.events, ...wanted].sort((a, b) => a.t - b.t);
      return { ...lane, events };
    }),
  };
}

function asEvent(step: Step): Event {
  const text = step.do === 'send' ? step.text : '';
  return {
    t: step.at,
    who: step.who,
    did: 'send',
    text: text.replace(/\r/g, '\\r').replace(/\n/g, '\\n'),
    bytes: text.length,
    lines: text.split('\r\n').length - 1,
    isWanted: true,
  };
}
