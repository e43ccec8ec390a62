import { once } from "node:events";
import { freePort } from "../../../internal/embedded/free-port.ts";
import type { Failpoint } from "../../../internal/failpoint/names.ts";
import type { ProgramName } from "../../../internal/standalone/programs.ts";
import { waitFor } from "../../kit/installation-wait.ts";
import { launch, type Running } from "../../kit/launch.ts";
import type { Word } from "./standby.ts";

const STANDBY = new URL("./standby.ts", import.meta.url).href;

interface Process extends Running {
  /** Dead, and all that it wrote has been read. */
  isOver: boolean;
}

/** A program of cmd/ in a process of its own that kills itself at failpoints, with the next one standing by. */
export class Program {
  readonly name: ProgramName;
  readonly opsUrl: string;
  readonly #env: Readonly<Record<string, string>>;
  #spare: Process;
  #running: Process | undefined;

  private constructor(name: ProgramName, opsPort: number, env: Readonly<Record<string, string>>) {
    this.name = name;
    this.opsUrl = `http://127.0.0.1:${opsPort}`;
    this.#env = { ...env, [`FOOTFALL_${name.toUpperCase()}_OPS_PORT`]: String(opsPort) };
    this.#spare = launchStandby(name, this.#env);
  }

  static async create(name: ProgramName, env: Readonly<Record<string, string>>): Promise<Program> {
    return new Program(name, await freePort(), env);
  }

  /** Starts it; resolves when its operators' port answers, or it has died at its failpoint already. */
  async start(failpoint?: Failpoint): Promise<void> {
    const running = this.#spare;
    this.#running = running;
    this.#spare = launchStandby(this.name, this.#env);
    const env = failpoint && { FOOTFALL_FAILPOINTS: failpoint, FOOTFALL_ALLOW_FAILPOINTS: "true" };
    say(running, { env: env ?? {} });
    await waitFor(`${this.name} to start`, async () => running.isOver || (await this.#answers()));
    if (failpoint === undefined && running.isOver) throw this.#unexpected(running);
  }

  /** Arms a failpoint. One that an earlier case has left dead, because it failed, is started with it. */
  async arm(failpoint: Failpoint): Promise<void> {
    const { process: child, isOver } = this.#running!;
    if (isOver) return this.start(failpoint);
    const armed = once(child, "message");
    say(this.#running!, { failpoints: failpoint });
    await armed;
  }

  /** Whether it has died at a failpoint. @throws when it has died otherwise. */
  diedAt(failpoint: Failpoint): boolean {
    const running = this.#running!;
    if (!running.isOver) return false;
    const isThere =
      running.process.signalCode === "SIGKILL" && running.output.stderr.includes(`failpoint ${failpoint}\n`);
    if (!isThere) throw this.#unexpected(running);
    return true;
  }

  /** SIGSTOP or SIGCONT. */
  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#running?.process.kill(name);
  }

  /** A gauge of the program, all labels together. */
  async gauge(metric: string): Promise<number> {
    const text = await (await fetch(`${this.opsUrl}/metrics`)).text();
    const values = [...text.matchAll(new RegExp(`^${metric}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))];
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  async close(): Promise<void> {
    const all = [this.#spare, ...(this.#running === undefined ? [] : [this.#running])];
    for (const { process: child } of all) child.kill("SIGKILL");
    await Promise.all(all.map(({ finished }) => finished));
  }

  /** It may well not be healthy: what it needs may be dead too. */
  async #answers(): Promise<boolean> {
    return (await fetch(`${this.opsUrl}/livez`)).status > 0;
  }

  #unexpected({ process: child, output }: Process): Error {
    return new Error(
      `${this.name} ended with ${child.exitCode ?? child.signalCode}:\n${output.stderr.slice(-2_000)}`,
    );
  }
}

/** A process that is killed takes no words any more. */
function say({ process: child }: Process, word: Word): void {
  if (child.connected) child.send(word, () => {});
}

function launchStandby(name: ProgramName, env: Readonly<Record<string, string>>): Process {
  const running = launch(name, { env: { ...env, PROGRAM: name }, preload: STANDBY });
  const process_: Process = { ...running, isOver: false };
  void running.finished.then(() => {
    process_.isOver = true;
  });
  return process_;
}
