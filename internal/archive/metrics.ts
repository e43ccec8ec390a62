import { counter, Gauge, latency, type Registry } from "../telemetry/metrics.ts";

export type ArchiveMetrics = ReturnType<typeof archiveMetrics>;

export function archiveMetrics(registry: Registry) {
  const name = (rest: string) => `footfall_archiver_${rest}`;
  return {
    rows: counter(registry, name("rows_total"), "Events in committed objects."),
    batches: counter(registry, name("batches_total"), "Batches in committed objects."),
    objects: counter(registry, name("objects_total"), "Objects committed to the archive.", ["kind"]),
    bytes: counter(registry, name("bytes_total"), "Bytes of committed objects."),
    keptWhole: counter(
      registry,
      name("kept_whole_batches_total"),
      "Batches kept as they arrived beside their rows, because the columns do not hold all of them.",
    ),
    gaps: counter(registry, name("gap_sequences_total"), "Sequences missing in the stream.", ["partition"]),
    rewinds: counter(
      registry,
      name("stream_rewinds_total"),
      "Times that a stream was not what was archived of it any more, and the position went back.",
      ["partition"],
    ),
    failures: counter(registry, name("failures_total"), "Times that a partition started over.", [
      "partition",
    ]),
    putFailures: counter(registry, name("put_failures_total"), "Puts that the store did not take."),
    encode: latency(registry, name("encode_seconds"), "Time of making and checking one object."),
    put: latency(registry, name("put_seconds"), "Time of one put that was taken."),
    lag: new Lag(registry, name("lag_seconds")),
    held: (used: () => number) =>
      new Gauge({
        name: name("held_bytes"),
        help: "Bytes of batches that were fetched and are not in the archive yet.",
        registers: [registry],
        collect() {
          this.set(used());
        },
      }),
  };
}

/** The age of the oldest batch that was fetched and is not in the archive yet, per partition. */
class Lag {
  /** When that batch was stored, ms since 1970-01-01 UTC. */
  readonly #oldest = new Map<number, number>();

  constructor(registry: Registry, name: string) {
    const oldest = this.#oldest;
    new Gauge({
      name,
      help: "Age of the oldest batch that was fetched and is not in the archive yet; 0 when there is none.",
      labelNames: ["partition"],
      registers: [registry],
      collect() {
        for (const [partition, time] of oldest) {
          this.set({ partition }, time === 0 ? 0 : Math.max(0, (Date.now() - time) / 1_000));
        }
      },
    });
  }

  /** A partition's oldest batch was stored then. It stays so until the next call, whatever fails meanwhile. */
  waitsSince(partition: number, storedTime: number): void {
    this.#oldest.set(partition, storedTime);
  }

  /** All that was fetched of a partition is in the archive. */
  nothingWaits(partition: number): void {
    this.#oldest.set(partition, 0);
  }
}
