import { type AnyQuestion, isFunnel } from "../question/any-question.ts";
import type { FunnelQuestion } from "../question/funnel.ts";
import type { Scoped, Span } from "../question/question.ts";
import { DAY_MS } from "../time/calendar.ts";

/** All that is read for a question, but for what its sessions have beside it: its spans, and what windows reach into. */
export function reachOf(question: AnyQuestion): Scoped {
  return isFunnel(question) ? funnelReach(question) : question;
}

/** Spans that end where the last window does. A session may go on for a day behind the span that it begins in. */
export function funnelReach(question: FunnelQuestion): Scoped {
  const longer = ({ start, end }: Span) => ({ start, end: end + (question.windowMs ?? DAY_MS) });
  const [first, other] = question.spans;
  const { merchant, timeZone, traffic, accuracy, identity, filter } = question;
  const spans = other === undefined ? ([longer(first)] as const) : ([longer(first), longer(other)] as const);
  return { merchant, timeZone, traffic, accuracy, identity, filter, spans };
}
