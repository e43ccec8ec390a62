/** The stream of refused batches, of all partitions. */
export const DEAD_LETTER_STREAM = "DEAD_LETTER";

/** The stream of a partition. Each has its own, so that its sequence numbers have no gaps. */
export const eventsStream = (partition: number): string => `EVENTS_${partition}`;

/** The subject of a partition's batches. */
export const eventsSubject = (partition: number): string => `events.${partition}`;

/** The subject of a partition's refused batches; "none" where the partition could not be read. */
export const deadLetterSubject = (partition: number | undefined): string =>
  `dead_letter.${partition ?? "none"}`;
