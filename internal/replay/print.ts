import { table } from "../program/table.ts";
import type { Count, DeadLetterList } from "./list.ts";
import type { RedriveResult } from "./redrive.ts";
import type { DeadLetterDetails } from "./show.ts";

/** The results as a person reads them. */

const number = (value: number) => value.toLocaleString("en");
const some = (count: number, one: string, many: string) => `${number(count)} ${count === 1 ? one : many}`;
const batchCount = (count: number) => some(count, "batch", "batches");
const counted = ({ batches, events }: Count) => `${batchCount(batches)}, ${some(events, "event", "events")}`;

export function printList({
  total,
  redrivable,
  byReason,
  byMerchant,
  byHour,
  newest,
}: DeadLetterList): string {
  const summary = `dead letters: ${counted(total)}; they pass the check now: ${counted(redrivable)}`;
  if (total.batches === 0) return summary;
  const cells = ({ batches, events }: Count) => [batches, events];
  return [
    summary,
    table(
      ["reason", "batches", "events"],
      byReason.map((row) => [row.reason, ...cells(row)]),
    ),
    table(
      ["merchant", "batches", "events"],
      byMerchant.map((row) => [String(row.merchantId), ...cells(row)]),
    ),
    table(
      ["hour (UTC)", "batches", "events"],
      byHour.map((row) => [row.hour.slice(0, 16), ...cells(row)]),
    ),
    table(
      ["seq", "time", "partition", "reason", "events", "check now", "message"],
      newest.map(({ seq, time, partition, reason, events, check, message }) => [
        String(seq),
        time,
        String(partition ?? "none"),
        reason,
        events,
        check,
        message.slice(0, MOST_MESSAGE),
      ]),
    ),
  ].join("\n\n");
}

const MOST_MESSAGE = 60;

export function printDetails(details: DeadLetterDetails): string {
  return JSON.stringify(details, null, 2);
}

export function printRedrive({ dryRun, redriven, notRedriven, stopped }: RedriveResult): string {
  const lines = [`${dryRun ? "would be redriven" : "redriven"}: ${counted(redriven)}`];
  if (notRedriven.length > 0) {
    lines.push(`cannot be redriven, as the check refuses them now: ${batchCount(notRedriven.length)}`);
    for (const { seq, batchId, reason, message } of notRedriven) {
      lines.push(`  seq ${seq} (${batchId ?? "no id"}): ${reason}: ${message}`);
    }
  }
  if (stopped !== undefined) lines.push(`stopped before all were done, try again: ${stopped}`);
  return lines.join("\n");
}
