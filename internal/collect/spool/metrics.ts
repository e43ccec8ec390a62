import { counter, gauge, type Registry, startAtZero } from "../../telemetry/metrics.ts";
import type { Totals } from "./store.ts";

export type SpoolMetrics = ReturnType<typeof spoolMetrics>;

/** @param totals what the spool holds, read when metrics are asked for. */
export function spoolMetrics(registry: Registry, totals: () => Totals) {
  const level = (name: string, help: string, value: (totals: Totals) => number) => {
    const metric = gauge(registry, `footfall_collector_spool_${name}`, help);
    Object.assign(metric, { collect: () => metric.set(value(totals())) });
  };
  level("batches", "Batches in the spool that wait for ingest.", ({ batches }) => batches);
  level("events", "Acknowledged events in those batches.", ({ events }) => events);
  level("bytes", "Bytes of the batches in the spool, damaged ones included.", ({ bytes }) => bytes);
  level("damaged_batches", "Damaged batches that the spool keeps apart.", ({ damaged }) => damaged);
  level(
    "oldest_age_seconds",
    "Age of the oldest batch in the spool, 0 when it is empty.",
    ({ oldestTime }) => (oldestTime === undefined ? 0 : Math.max(0, Date.now() - oldestTime) / 1_000),
  );
  const total = <L extends string>(name: string, help: string, labels: L[] = []) =>
    counter(registry, `footfall_collector_spool_${name}_total`, help, labels);
  return {
    spooled: total("spooled", "Batches written to the spool."),
    drained: total("drained", "Batches of the spool that ingest stored."),
    rejected: total(
      "rejected",
      "Batches of the spool that ingest refused for good; they are in DEAD_LETTER.",
    ),
    damaged: total("damaged", "Batches of the spool that were found damaged."),
    refused: startAtZero(
      total("refused", "Batches that the spool did not take, by reason.", ["reason"]),
      "reason",
      ["bytes", "age", "disk", "error"],
    ),
  };
}
