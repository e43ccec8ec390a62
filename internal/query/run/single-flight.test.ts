import { expect, test } from "vitest";
import { SingleFlight } from "./single-flight.ts";

/** Work that lands when it is told to, and counts how often it was begun. */
function work() {
  const landing = Promise.withResolvers<string>();
  const signals: AbortSignal[] = [];
  const begin = (signal: AbortSignal) => {
    signals.push(signal);
    return landing.promise;
  };
  return { begin, signals, ...landing };
}

const never = () => new AbortController().signal;

test("what is asked for by many at a time is done once, and all have it", async () => {
  const flights = new SingleFlight<string>();
  const { begin, signals, resolve } = work();
  const all = ["a", "a", "a"].map((key) => flights.run(key, never(), begin));
  const other = flights.run("b", never(), begin);
  resolve("done");
  expect((await Promise.all(all)).map(({ isFirst }) => isFirst)).toEqual([true, false, false]);
  expect((await other).isFirst).toBe(true);
  expect(signals).toHaveLength(2);
  expect(await flights.run("a", never(), async () => "later")).toEqual({ value: "later", isFirst: true });
});

test("a failure is everybody's, and is forgotten", async () => {
  const flights = new SingleFlight<string>();
  const { begin, reject } = work();
  const all = ["a", "a"].map((key) => flights.run(key, never(), begin));
  reject(new Error("away"));
  for (const one of all) await expect(one).rejects.toThrow("away");
  expect((await flights.run("a", never(), async () => "later")).value).toBe("later");
});

test("who goes away, the first one too, leaves the work to the others", async () => {
  const flights = new SingleFlight<string>();
  const { begin, signals, resolve } = work();
  const first = new AbortController();
  const gone = flights.run("a", first.signal, begin);
  const staying = flights.run("a", never(), begin);
  first.abort(new Error("deadline"));
  await expect(gone).rejects.toThrow("deadline");
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  resolve("done");
  expect((await staying).value).toBe("done");
});

test("when the last is gone the work is aborted, and who comes then begins anew", async () => {
  const flights = new SingleFlight<string>();
  const { begin, signals } = work();
  const callers = [new AbortController(), new AbortController()];
  const gone = callers.map(({ signal }) => flights.run("a", signal, begin));
  for (const caller of callers) caller.abort(new Error("gone"));
  for (const one of gone) await expect(one).rejects.toThrow("gone");
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  const anew = flights.run("a", never(), async () => "anew");
  expect((await anew).isFirst).toBe(true);
  await expect(flights.run("a", AbortSignal.abort(new Error("late")), begin)).rejects.toThrow("late");
  expect(signals).toHaveLength(1);
});
