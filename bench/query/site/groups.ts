import { BatchBuilder } from "../../../internal/event/batch-builder.ts";
import { eventIdBytes } from "../../../internal/event/event-id.ts";
import { partitionOf } from "../../../internal/event/partition.ts";
import type { Group } from "../../storage/history/group.ts";
import { PARTITIONS } from "../../storage/load.ts";
import { type SiteOptions, siteDays, timeOf } from "./visits.ts";

const BATCH_ROWS = 10_000;
const DAY_MS = 86_400_000;

/** The site's merchant. */
export const SITE_MERCHANT = 1;

/** The site's days in batches, as a collector would make them. */
export async function* siteGroups(options: SiteOptions): AsyncGenerator<Group> {
  const partition = partitionOf(SITE_MERCHANT, PARTITIONS);
  const builder = new BatchBuilder(BATCH_ROWS);
  let day = 0;
  for (const events of siteDays(options)) {
    day++;
    const batches: Group["batches"][number][] = [];
    for (const event of events) {
      const time = timeOf(event);
      const eventId = eventIdBytes(event.eventId);
      const times = { clientTime: time, receivedTime: time, sentTime: time };
      builder.add({ merchantId: SITE_MERCHANT, event, eventId, ...times });
      if (builder.rows === BATCH_ROWS) batches.push({ partition, batch: builder.take() });
    }
    if (builder.rows > 0) batches.push({ partition, batch: builder.take() });
    const completeBefore = day === options.days ? Number.POSITIVE_INFINITY : options.fromMs + day * DAY_MS;
    yield { batches, events: events.length, completeBefore };
  }
}
