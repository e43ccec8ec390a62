import { DAY_MS, startOfDay, zoned } from "./calendar.ts";

/** What the local clock shows at an instant, as ms of a clock that shows UTC. */
export function wallTime(time: number, timeZone: string): number {
  return time + zoned(time, timeZone).offsetNanoseconds / 1e6;
}

/** The same of the start of a span; midnight for a local day that begins later, as its midnight does not exist. */
export function wallStart(start: number, timeZone: string): number {
  const wall = wallTime(start, timeZone);
  const isDay = startOfDay(zoned(start, timeZone).toPlainDate(), timeZone) === start;
  return isDay ? wall - (((wall % DAY_MS) + DAY_MS) % DAY_MS) : wall;
}
