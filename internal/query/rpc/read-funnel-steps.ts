import type { Filter as FilterMessage } from "../../gen/footfall/query/v1/filter_pb.js";
import {
  FunnelStep_Kind as Kind,
  type FunnelStep as StepMessage,
} from "../../gen/footfall/query/v1/funnel_pb.js";
import type { Filter } from "../question/filter.ts";
import type { FunnelOrder, FunnelStep } from "../question/funnel.ts";
import { InvalidField } from "../time/invalid-field.ts";
import { missing, nameOf } from "./field-errors.ts";

const MOST_STEPS = 20;
const MOST_TITLE_LENGTH = 200;

const KIND = { required: Kind.REQUIRED, optional: Kind.OPTIONAL, excluded: Kind.EXCLUDED } as const;

/**
 * Steps, with what is excluded before each.
 * @throws Failure "invalid" on "steps", their places and their fields.
 */
export function readSteps(
  messages: readonly StepMessage[],
  order: FunnelOrder,
  readFilter: (message: FilterMessage, path: string) => Filter,
): FunnelStep[] {
  if (messages.length < 2 || messages.length > MOST_STEPS) {
    throw new InvalidField("steps", `${messages.length} steps`, `2 to ${MOST_STEPS} steps`);
  }
  const steps: FunnelStep[] = [];
  let excluded: Filter[] = [];
  for (const [at, { title, event, kind: number }] of messages.entries()) {
    const path = `steps[${at}]`;
    const kind = number === Kind.UNSPECIFIED ? "required" : nameOf(`${path}.kind`, KIND, number);
    checkKind(kind, { path, isEnd: at === 0 || at === messages.length - 1, order });
    if (event === undefined) throw missing(`${path}.event`, "a filter of events");
    const filter = readFilter(event, `${path}.event`);
    if (kind === "excluded") {
      excluded.push(filter);
      continue;
    }
    const named = readTitle(title, `${path}.title`) || `Step ${steps.length + 1}`;
    steps.push({ title: named, event: filter, isOptional: kind === "optional", excluded });
    excluded = [];
  }
  return steps;
}

function readTitle(title: string, field: string): string {
  if (title.length <= MOST_TITLE_LENGTH) return title;
  throw new InvalidField(field, `${title.length} characters`, `at most ${MOST_TITLE_LENGTH} characters`);
}

function checkKind(
  kind: keyof typeof KIND,
  { path, isEnd, order }: { readonly path: string; readonly isEnd: boolean; readonly order: FunnelOrder },
): void {
  if (kind === "required") return;
  const refuse = (allowed: string) => {
    throw new InvalidField(`${path}.kind`, kind, allowed, "NOT_COMPATIBLE");
  };
  if (isEnd) refuse("required, as the first and the last step are");
  if (order === "any") refuse("required, as all steps are in any order");
  if (kind === "excluded" && order === "strict") {
    refuse("required or optional: with the order strict nothing is between steps");
  }
}
