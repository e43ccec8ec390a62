/** What an object's name tells. */
export interface ObjectName {
  readonly kind: "events" | "dead_letter";
  readonly partition: number;
  /** UTC day on which JetStream stored the batches, as 2026-11-23. */
  readonly day: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** The first 16 hexadecimal digits of the content's SHA-256: a name never has two contents. */
  readonly digest: string;
}

const FOLDERS = { events: "events", dead_letter: "dead-letter" } as const;
const ENDINGS = { events: "parquet", dead_letter: "batch" } as const;

/** 2^53 has 16 digits. */
const digits = (seq: number) => String(seq).padStart(16, "0");

/** The object's key behind the archive's prefix. Names sort by partition, day and sequence. */
export function objectName({ kind, partition, day, firstSeq, lastSeq, digest }: ObjectName): string {
  const folder = `${FOLDERS[kind]}/partition=${String(partition).padStart(4, "0")}/date=${day}`;
  return `${folder}/${digits(firstSeq)}-${digits(lastSeq)}-${digest}.${ENDINGS[kind]}`;
}

const NAME =
  /^(events|dead-letter)\/partition=(\d+)\/date=(\d{4}-\d{2}-\d{2})\/(\d+)-(\d+)-([0-9a-f]+)\.(?:parquet|batch)$/;

/** What a name says, or undefined for one that is not of the archive. */
export function parseObjectName(name: string): ObjectName | undefined {
  const [, folder, partition, day, first, last, digest] = NAME.exec(name) ?? [];
  if (folder === undefined) return undefined;
  return {
    kind: folder === "events" ? "events" : "dead_letter",
    partition: Number(partition),
    day: day!,
    firstSeq: Number(first),
    lastSeq: Number(last),
    digest: digest!,
  };
}
