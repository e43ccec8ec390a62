import { EventStatus } from "../gen/footfall/collect/v1/collect_pb.js";
import type { Answer } from "./send.ts";

/** The answers to a request's events as the response carries them. */
export function mergeAnswers(answers: readonly Answer[]) {
  const statuses: EventStatus[] = [];
  const rejections: { index: number; reason: number; message: string }[] = [];
  const counts = { accepted: 0, duplicates: 0, rejected: 0 };
  for (const [index, { status, refusal }] of answers.entries()) {
    statuses.push(status);
    if (status === EventStatus.ACCEPTED) counts.accepted++;
    else if (status === EventStatus.DUPLICATE) counts.duplicates++;
    else if (status === EventStatus.REJECTED) counts.rejected++;
    if (refusal !== undefined) rejections.push({ index, ...refusal });
  }
  return { statuses, rejections, ...counts };
}
