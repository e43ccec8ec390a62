import type { RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";

/** Why an event is rejected: a closed reason, and a message that names the field and the value. */
export interface Refusal {
  readonly reason: RejectReason;
  readonly message: string;
}

/** Longest part of a value that a message repeats. */
const SHOWN = 80;

/** A value as messages show it: quoted and cut. */
export function shown(value: string): string {
  return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}...` : value);
}

export function refuse(reason: RejectReason, message: string): Refusal {
  return { reason, message };
}
