// Loaded before a program's main.ts (--import): the process waits, with the program's modules loaded, until the
// test says that it is its turn. So a restart takes no longer than the program's own start.

import { flushCompileCache } from "node:module";
import { isMainThread } from "node:worker_threads";
import { armFailpoints } from "../../../internal/failpoint/failpoint.ts";

/** What the test says: first the environment to start with, later what to arm. */
export interface Word {
  readonly env?: Readonly<Record<string, string>>;
  readonly failpoints?: string;
}

/** Waits for the test's word; later words arm failpoints. Without the test there is nothing to do. */
async function standBy(): Promise<void> {
  await import(`../../../cmd/${process.env.PROGRAM}/start.ts`);
  // Node keeps what it has compiled when a process ends in order, and these are killed.
  flushCompileCache();
  process.on("disconnect", () => process.exit(1));
  const { env } = await new Promise<Word>((resolve) => process.once("message", resolve));
  Object.assign(process.env, env);
  process.on("message", ({ failpoints = "" }: Word) => {
    armFailpoints({ failpoints, allowFailpoints: true });
    process.send!("armed");
  });
  process.channel!.unref();
}

// The threads of a program load this too.
if (isMainThread) await standBy();
