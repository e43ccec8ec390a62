import { expect, test } from "vitest";
import { waitFor } from "../../test/kit/installation-wait.ts";
import type { Child } from "../embedded/child.ts";
import { type Part, Supervisor } from "./supervisor.ts";

/** A part whose children are no processes: each start takes a turn of the event loop, or fails on demand. */
class FakePart implements Part {
  readonly name: string;
  readonly stopped: string[];
  starts = 0;
  failures = 0;
  die: () => void = () => {};

  constructor(name: string, stopped: string[] = []) {
    this.name = name;
    this.stopped = stopped;
  }

  async start(): Promise<Child> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.failures-- > 0) throw new Error(`${this.name} does not start`);
    const pid = ++this.starts;
    const { promise: exited, resolve } = Promise.withResolvers<number | null>();
    this.die = () => resolve(null);
    const stop = async () => {
      this.stopped.push(`${this.name} ${pid}`);
      resolve(0);
      await exited;
    };
    return { pid, exited, stop };
  }
}

test("parts are stopped in the reverse order of their start", async () => {
  const stopped: string[] = [];
  const supervisor = new Supervisor();
  for (const name of ["database", "ingest", "collector"]) await supervisor.add(new FakePart(name, stopped));
  await supervisor.stop();
  expect(stopped).toEqual(["collector 1", "ingest 1", "database 1"]);
  expect(supervisor.pid("ingest")).toBeUndefined();
});

test("a part that dies is started again, also when that fails at first", async () => {
  const died: string[] = [];
  const failed: string[] = [];
  const part = new FakePart("ingest");
  const supervisor = new Supervisor({
    died: (name) => void died.push(name),
    failed: (name, error) => void failed.push(`${name}: ${(error as Error).message}`),
  });
  await supervisor.add(part);
  part.failures = 2;
  part.die();
  await waitFor("the second start", () => supervisor.pid("ingest") === 2);
  expect(died).toEqual(["ingest"]);
  expect(failed).toEqual(Array.from({ length: 2 }, () => "ingest: ingest does not start"));
  await supervisor.stop();
  expect(part.stopped).toEqual(["ingest 2"]);
});

test("a part whose first start fails is not tried again", async () => {
  const part = new FakePart("ingest");
  part.failures = 1;
  const supervisor = new Supervisor();
  await expect(supervisor.add(part)).rejects.toThrow("ingest does not start");
  await supervisor.stop();
  expect(part.starts).toBe(0);
});

test("stop ends a part that is still starting, too", async () => {
  const started = new FakePart("database");
  const starting = new FakePart("ingest");
  const supervisor = new Supervisor();
  await supervisor.add(started);
  const adding = supervisor.add(starting);
  await supervisor.stop();
  await expect(adding).rejects.toThrow("ingest: told to stop while it was starting");
  expect(started.stopped).toEqual(["database 1"]);
  expect(starting.stopped).toEqual(["ingest 1"]);
});
