import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HealthState } from "../rpc/health.ts";
import { createLogger } from "../telemetry/logger.ts";
import { createRegistry, type Registry } from "../telemetry/metrics.ts";
import { keepProbing, type Probe } from "./probes.ts";

let health: HealthState;
let registry: Registry;
let stopping: AbortController;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "setInterval", "clearInterval", "performance"] });
  health = new HealthState([]);
  health.started();
  registry = createRegistry("test");
  stopping = new AbortController();
});

afterEach(() => {
  stopping.abort();
  vi.useRealTimers();
});

function probing(probe: Probe): void {
  const life = { stopping: stopping.signal };
  keepProbing({ health, registry, log: createLogger("test", "silent"), life, unreadyAfterMs: 3_000 }, [
    probe,
  ]);
}

async function up(part: string): Promise<number | undefined> {
  const { values } = await registry.getSingleMetric("footfall_part_up")!.get();
  return values.find(({ labels }) => labels.part === part)?.value;
}

test("a part that hangs is told of although its answer never comes, and only for as long as it hangs", async () => {
  let answer = () => {};
  const ask = () =>
    new Promise<void>((resolve) => {
      answer = resolve;
    });
  probing({ part: "database", everyMs: 100, ask });
  expect([health.problem, await up("database")]).toEqual([undefined, 1]);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(health.problem).toBeUndefined();
  await vi.advanceTimersByTimeAsync(500);
  expect([health.problem, await up("database")]).toEqual(["database: has not answered for 3100 ms", 0]);
  answer();
  await vi.advanceTimersByTimeAsync(1);
  expect([health.problem, await up("database")]).toEqual([undefined, 1]);
});

test("a part that refuses is told of with its reason, but not for a short time", async () => {
  let fails = true;
  const ask = async () => {
    if (fails) throw new Error("is starting up");
  };
  probing({ part: "database", everyMs: 100, ask });
  await vi.advanceTimersByTimeAsync(2_900);
  expect(health.problem).toBeUndefined();
  await vi.advanceTimersByTimeAsync(600);
  expect(health.problem).toBe("database: is starting up");
  fails = false;
  await vi.advanceTimersByTimeAsync(200);
  expect(health.problem).toBeUndefined();
});

test("a part that is not needed leaves the program ready, with a note", async () => {
  probing({
    part: "database",
    isNeeded: false,
    everyMs: 100,
    ask: () => Promise.reject(new Error("is away")),
  });
  await vi.advanceTimersByTimeAsync(4_000);
  expect([health.problem, health.notes, await up("database")]).toEqual([undefined, ["database: is away"], 0]);
});
