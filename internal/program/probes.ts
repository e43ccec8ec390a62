import type { Life } from "../lifecycle/run-program.ts";
import type { HealthState } from "../rpc/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import { gauge, type Registry } from "../telemetry/metrics.ts";

/** A part that a program is asked about again and again, as its readiness depends on it. */
export interface Probe {
  /** Its name in metrics and texts: database, jetstream, store. */
  readonly part: string;
  /** @throws why the part cannot be used now. May hang; it is not asked a second time meanwhile. */
  readonly ask: () => Promise<unknown>;
  /** Pause between two asks, ms. Default: 1,000. */
  readonly everyMs?: number;
  /** False: the program does its work without the part too, and only says that it is away. Default: true. */
  readonly isNeeded?: boolean;
}

export interface ProbeDeps {
  readonly health: HealthState;
  readonly registry: Registry;
  readonly log: Logger;
  readonly life: Pick<Life, "stopping">;
  /** How long a part may not answer before it counts as away, ms. */
  readonly unreadyAfterMs: number;
}

/** How often it is looked at whether an answer is overdue, ms. */
const LOOK_MS = 250;

/**
 * Asks parts for as long as the program runs, and says in its health and in `footfall_part_up` which of them are away.
 * One that hangs is noticed as one that refuses is.
 */
export function keepProbing(deps: ProbeDeps, probes: readonly Probe[]): void {
  const help = "1 while a part that this program uses answers, else 0.";
  const up = gauge(deps.registry, "footfall_part_up", help, ["part"]);
  for (const probe of probes) {
    const { part } = probe;
    up.set({ part }, 1);
    keepAsking(probe, deps, (problem) => {
      up.set({ part }, problem === undefined ? 1 : 0);
      say(probe, deps, problem);
    });
  }
}

function keepAsking(
  { part, ask, everyMs = 1_000 }: Probe,
  { life: { stopping }, unreadyAfterMs }: ProbeDeps,
  tell: (problem: string | undefined) => void,
): void {
  const limitMs = unreadyAfterMs + everyMs;
  let answeredTime = performance.now();
  let why: string | undefined;
  let isAsked = false;
  const look = () => {
    const isUp = performance.now() - answeredTime < limitMs;
    tell(isUp ? undefined : `${part}: ${why ?? `has not answered for ${limitMs} ms`}`);
  };
  const askOnce = async () => {
    if (isAsked) return;
    isAsked = true;
    try {
      await ask();
      why = undefined;
      answeredTime = performance.now();
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    isAsked = false;
    if (!stopping.aborted) look();
  };
  const timers = [setInterval(askOnce, everyMs), setInterval(look, LOOK_MS)];
  stopping.addEventListener("abort", () => timers.forEach(clearInterval), { once: true });
}

function say(
  { part, isNeeded = true }: Probe,
  { health, log }: ProbeDeps,
  problem: string | undefined,
): void {
  const changed = isNeeded ? health.setProblem(part, problem) : health.setNote(part, problem);
  if (!changed) return;
  if (problem === undefined) log.info({ part }, "a part answers again");
  else log.warn({ part, problem }, isNeeded ? "not ready" : "a part is away");
}
