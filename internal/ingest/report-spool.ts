import { durationMs } from "@bufbuild/protobuf/wkt";
import { formatId, ID_BYTES } from "../event/event-id.ts";
import { Failure } from "../failure/failure.ts";
import type { ReportSpoolRequest } from "../gen/footfall/ingest/v1/ingest_pb.js";
import type { SpoolReport } from "../store/spool-reports.ts";

/** Longest collector id that is kept, characters. */
const MAX_ID = 200;

/** The plain values of a spool's report. @throws Failure invalid that names the field. */
export function spoolReportFromWire(request: ReportSpoolRequest, partitions: number): SpoolReport {
  const { spoolId, collectorId } = request;
  if (spoolId.length !== ID_BYTES) {
    throw new Failure("invalid", `spool_id: ${spoolId.length} bytes, ${ID_BYTES} are needed`);
  }
  if (collectorId.length > MAX_ID || collectorId.includes("\0")) {
    throw new Failure("invalid", `collector_id: longer than ${MAX_ID} characters, or has a zero character`);
  }
  const told = new Set<number>();
  const heldBack = request.heldBack.map(({ partition, events, oldestAge }) => {
    if (partition >= partitions || told.has(partition)) {
      throw new Failure(
        "invalid",
        `held_back.partition: ${partition} is told twice, or not below ${partitions}`,
      );
    }
    told.add(partition);
    const oldestAgeMs = oldestAge === undefined ? 0 : durationMs(oldestAge);
    if (events < 1n || events > Number.MAX_SAFE_INTEGER || !(oldestAgeMs >= 0)) {
      throw new Failure(
        "invalid",
        `held_back: partition ${partition} with ${events} events of ${oldestAgeMs} ms`,
      );
    }
    return { partition, events: Number(events), oldestAgeMs: Math.min(oldestAgeMs, MAX_AGE_MS) };
  });
  return { spoolId: formatId(spoolId), collectorId, heldBack };
}

/** No event is older than the first computers' clocks, ms. */
const MAX_AGE_MS = 50 * 365 * 86_400_000;
