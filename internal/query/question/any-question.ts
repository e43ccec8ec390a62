import type { FunnelQuestion } from "./funnel.ts";
import type { Question } from "./question.ts";

/** Whatever can be asked. */
export type AnyQuestion = Question | FunnelQuestion;

export function isFunnel(question: AnyQuestion): question is FunnelQuestion {
  return "steps" in question;
}
