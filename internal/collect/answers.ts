import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { EventStatus, RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import { type Adjustment, AdjustmentKind, plainField } from "./adjustments.ts";
import type { CollectMetrics } from "./metrics.ts";
import type { Outcome, Receipt } from "./receipt.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** The answers to a request's events, as the response carries them. */
export interface Answers {
  /** One for each event. */
  readonly statuses: EventStatus[];
  /** One for each event that is rejected, in the request's order. */
  readonly rejections: ({ readonly index: number } & Refusal)[];
  /** The first that was changed, in the request's order; all of one event follow one another. */
  readonly adjustments: ({ readonly index: number } & Adjustment)[];
  /** How often what was done to which field (plainField), by both: the key is "kind field". */
  readonly adjusted: ReadonlyMap<string, number>;
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** When UNAVAILABLE events should be sent again; RETRY_AFTER_MS where it is not told. */
  readonly retryAfterMs?: number | undefined;
}

/** Most adjustments that one answer tells of: a client that has so many learns nothing from more. */
const MAX_ADJUSTMENTS = 200;

/** When events that could not be stored should be sent again, ms. */
export const RETRY_AFTER_MS = 500;

/** Answers as the response carries them: with a time to wait where any event is to be sent again. */
export function toWire({ retryAfterMs = RETRY_AFTER_MS, adjusted: _, ...answers }: Answers) {
  const known = answers.accepted + answers.duplicates + answers.rejected;
  return known === answers.statuses.length
    ? answers
    : { ...answers, retryAfter: durationFromMs(retryAfterMs) };
}

/** All events of a request with the same answer. */
export function answerAll(count: number, status: EventStatus, refusal?: Refusal): Answers {
  const merged = new Merged(count);
  for (let index = 0; index < count; index++) merged.put(index, status, refusal);
  return merged;
}

/** The claims of a request's events on the batches that they went into. */
export class Claims {
  readonly #receipts: Receipt[] = [];
  /** Of each event: its receipt's number from 1, negative when the event was sent before; 0: it is refused. */
  readonly #claims: Int32Array;
  readonly #refusals = new Map<number, Refusal>();
  readonly #adjustments: ({ readonly index: number } & Adjustment)[] = [];
  readonly #adjusted = new Map<string, number>();

  /** @param count events of the request. */
  constructor(count: number) {
    this.#claims = new Int32Array(count);
  }

  accept(index: number, receipt: Receipt): void {
    this.#claims[index] = this.#numberOf(receipt);
  }

  repeat(index: number, receipt: Receipt): void {
    this.#claims[index] = -this.#numberOf(receipt);
  }

  refuse(index: number, refusal: Refusal): void {
    this.#refusals.set(index, refusal);
  }

  /** What was changed in an event that is not refused; the events come in their order. */
  adjust(index: number, adjustments: readonly Adjustment[]): void {
    for (const adjustment of adjustments) {
      const key = `${AdjustmentKind[adjustment.kind]} ${plainField(adjustment.field)}`;
      this.#adjusted.set(key, (this.#adjusted.get(key) ?? 0) + 1);
      if (this.#adjustments.length < MAX_ADJUSTMENTS) this.#adjustments.push({ index, ...adjustment });
    }
  }

  /** The answers, when all batches are settled. */
  async settled(): Promise<Answers> {
    const outcomes: Outcome[] = [];
    for (const receipt of this.#receipts) outcomes.push(receipt.outcome ?? (await receipt.settled));
    const merged = new Merged(this.#claims.length, this.#adjustments, this.#adjusted);
    for (const [index, claim] of this.#claims.entries()) {
      if (claim === 0) merged.put(index, EventStatus.REJECTED, this.#refusals.get(index));
      else putOutcome(merged, index, outcomes[Math.abs(claim) - 1]!, claim < 0);
    }
    return merged;
  }

  #numberOf(receipt: Receipt): number {
    // Events of a request that go into one batch come one after another.
    if (this.#receipts.at(-1) !== receipt) this.#receipts.push(receipt);
    return this.#receipts.length;
  }
}

function putOutcome(merged: Merged, index: number, outcome: Outcome, repeated: boolean): void {
  if (outcome.stored) merged.put(index, repeated ? EventStatus.DUPLICATE : EventStatus.ACCEPTED);
  else if (outcome.retry) merged.put(index, EventStatus.UNAVAILABLE);
  else {
    const message = `the event's batch was refused: ${outcome.message}`;
    merged.put(index, EventStatus.REJECTED, refuse(RejectReason.MALFORMED, message));
  }
}

class Merged implements Answers {
  readonly statuses: EventStatus[];
  readonly rejections: ({ readonly index: number } & Refusal)[] = [];
  accepted = 0;
  duplicates = 0;
  rejected = 0;

  readonly adjustments: Answers["adjustments"];
  readonly adjusted: Answers["adjusted"];

  constructor(
    count: number,
    adjustments: Answers["adjustments"] = [],
    adjusted: Answers["adjusted"] = new Map(),
  ) {
    this.statuses = new Array<EventStatus>(count);
    this.adjustments = adjustments;
    this.adjusted = adjusted;
  }

  put(index: number, status: EventStatus, refusal?: Refusal): void {
    this.statuses[index] = status;
    if (status === EventStatus.ACCEPTED) this.accepted++;
    else if (status === EventStatus.DUPLICATE) this.duplicates++;
    else if (status === EventStatus.REJECTED) this.rejected++;
    if (refusal !== undefined) this.rejections.push({ index, ...refusal });
  }
}

/** Counts answers, once for each status that is among them. */
export function countAnswers({ events, rejected, adjusted }: CollectMetrics, answers: Answers): void {
  const counts = { ACCEPTED: answers.accepted, DUPLICATE: answers.duplicates, REJECTED: answers.rejected };
  const known = answers.accepted + answers.duplicates + answers.rejected;
  for (const [status, count] of Object.entries({ ...counts, UNAVAILABLE: answers.statuses.length - known })) {
    if (count > 0) events.inc({ status }, count);
  }
  const reasons = new Map<RejectReason, number>();
  for (const { reason } of answers.rejections) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  for (const [reason, count] of reasons) rejected.inc({ reason: RejectReason[reason] }, count);
  for (const [key, count] of answers.adjusted) {
    const [kind = "", field = ""] = key.split(" ");
    adjusted.inc({ field, kind }, count);
  }
}
