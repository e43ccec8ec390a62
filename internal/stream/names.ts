/** The stream of refused batches, of all partitions. */
export const REJECTED_STREAM = "REJECTED";

/** The stream of a partition. Each has its own, so that its sequence numbers have no gaps. */
export const eventsStream = (partition: number): string => `EVENTS_${partition}`;

/** The subject of a partition's batches. */
export const eventsSubject = (partition: number): string => `events.${partition}`;

/** The subject of a partition's refused batches; "none" where the partition could not be read. */
export const rejectedSubject = (partition: number | undefined): string => `rejected.${partition ?? "none"}`;
