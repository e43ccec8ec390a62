import { waitFor } from "../../../test/kit/installation-wait.ts";
import type { AggregatorProcess, Rig } from "./rig.ts";

/** One commit, as the database saw it. */
export interface Commit {
  readonly partition: number;
  /** Instance id of the aggregator. */
  readonly by: string;
  /** By the database's clock, ms since 1970-01-01 UTC. */
  readonly time: number;
}

/** Makes the database write down whose connection moves a position, and when; aggregators may not write there. */
export async function watchCommits(rig: Rig): Promise<void> {
  await rig.query(`CREATE TABLE commits (partition integer, by text, time timestamptz)`);
  await rig.query(`CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      INSERT INTO commits VALUES (new.partition_id, split_part(current_setting('application_name'), ' ', 2),
        clock_timestamp());
      RETURN NULL;
    END $$`);
  await rig.query(`CREATE TRIGGER note_commit AFTER UPDATE OF stream_seq ON partitions
    FOR EACH ROW EXECUTE FUNCTION note_commit()`);
}

/** The commits of some partitions since a time (by the database's clock, ms), oldest first. */
export function commitsSince(rig: Rig, time: number, partitions: readonly number[]): Promise<Commit[]> {
  return rig.query<Commit>(
    `SELECT partition, by, (extract(epoch FROM time) * 1000)::float8 AS time FROM commits
     WHERE time > to_timestamp($1::float8 / 1000) AND partition = ANY($2::integer[]) ORDER BY commits.time`,
    [time, partitions],
  );
}

/** The database's clock, ms. */
export async function databaseTime(rig: Rig): Promise<number> {
  const sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now";
  return (await rig.query<{ now: number }>(sql))[0]!.now;
}

/** Partitions of each owner, and "refresher" of the one that has it; leases that ran out are nobody's. */
export async function owned(rig: Rig): Promise<Map<string, (number | "refresher")[]>> {
  const rows = await rig.query<{ owner: string; resource: string }>(
    `SELECT owner_id AS owner, resource FROM leases WHERE until > now()
     ORDER BY length(resource), resource`,
  );
  const owners = new Map<string, (number | "refresher")[]>();
  for (const { owner, resource } of rows) {
    const what = resource.startsWith("refresher/")
      ? "refresher"
      : Number(resource.slice("partition/".length));
    owners.set(owner, [...(owners.get(owner) ?? []), what]);
  }
  return owners;
}

/** Waits until partitions are owned in these numbers, the largest first. @returns them by owner. */
export function settled(rig: Rig, shares: readonly number[]): Promise<Map<string, number[]>> {
  return waitFor(
    `shares of ${shares}`,
    async () => {
      const partitions = new Map(
        [...(await owned(rig))].map(([owner, all]) => [owner, all.filter((one) => one !== "refresher")]),
      );
      const now = [...partitions.values()].map((all) => all.length).filter((n) => n > 0);
      now.sort((a, b) => b - a);
      return String(now) === String(shares) && partitions;
    },
    60_000,
  );
}

/** Instance ids of the aggregators that are alive, the oldest first. */
export async function livingAggregators(rig: Rig): Promise<string[]> {
  const sql = "SELECT instance_id AS id FROM aggregators WHERE alive_until > now() ORDER BY started_at";
  return (await rig.query<{ id: string }>(sql)).map(({ id }) => id);
}

/** The value of a metric of a process, all labels together. */
export async function processMetric({ opsUrl }: AggregatorProcess, name: string): Promise<number> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}
