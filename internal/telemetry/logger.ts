import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/** JSON lines on standard error: standard output belongs to a program's result. */
export function createLogger(program: string, level: string): Logger {
  return pino({ name: program, level, base: { program, pid: process.pid } }, pino.destination(2));
}
