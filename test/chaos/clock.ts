import { readFileSync } from "node:fs";

/**
 * Loaded before a program (`node --import`), so that its clock can jump while it runs: after SIGUSR2, and at its
 * start, Date is off by the number of milliseconds that the file named by CHAOS_CLOCK_FILE holds. Timers and
 * performance.now() go on as they were, as on a machine whose clock is set.
 */
const file = process.env.CHAOS_CLOCK_FILE;
const RealDate = Date;
let shiftMs = 0;

function read(): void {
  try {
    shiftMs = Number(readFileSync(file!, "utf8"));
  } catch {
    shiftMs = 0;
  }
}

const now = () => RealDate.now() + shiftMs;

if (file !== undefined) {
  read();
  process.on("SIGUSR2", read);
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: () => new RealDate(now()).toString(),
    get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
  });
}
