import { AdjustmentKind } from "../gen/footfall/collect/v1/collect_pb.js";

export { AdjustmentKind };

/** Something that was changed in an event so that it could be taken: the message says what was wrong. */
export interface Adjustment {
  readonly field: string;
  readonly kind: AdjustmentKind;
  readonly message: string;
}

/** Most that are told of one event: 200 items have a thousand texts. */
const MAX_TOLD = 20;

/** What is changed in the one event that is being taken. Nothing is made while nothing is wrong. */
export class Adjustments {
  #told: Adjustment[] = [];

  add(kind: AdjustmentKind, field: string, message: string): void {
    if (this.#told.length < MAX_TOLD) this.#told.push({ kind, field, message });
  }

  /** What was changed since the last time. */
  take(): readonly Adjustment[] {
    if (this.#told.length === 0) return NONE;
    const told = this.#told;
    this.#told = [];
    return told;
  }
}

const NONE: readonly Adjustment[] = [];

/** The name of an adjusted field without what a sender chose, as metrics have it: "items.name", "properties". */
export function plainField(field: string): string {
  return field.startsWith("properties.") ? "properties" : field.replace(/\[\d+\]/g, "");
}
