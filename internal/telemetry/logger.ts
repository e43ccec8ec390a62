import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger } from "pino";

/** File descriptor of standard error. */
const STDERR = 2;

/** JSON lines on standard error: standard output belongs to a program's result. */
export function createLogger(program: string, level: string): Logger {
  return pino({ name: program, level, base: { program, pid: process.pid } }, standardError());
}

/**
 * Each line is written when it is logged, as lines are few. Pino's own default leaves the last ones to a flush at
 * exit, which tries for ever once the reader is gone (sonic-boom 4.2.1): such a program would never end.
 */
function standardError(): DestinationStream {
  return pino.destination({ dest: STDERR, sync: true });
}
