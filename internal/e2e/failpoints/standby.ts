// Loaded before a program's main.ts (--import): the process waits, with the program's modules loaded, until the
// test says that it is its turn. So a restart takes no longer than the program's own start.

import { armFailpoints } from "../../failpoint/failpoint.ts";

/** What the test says: first the environment to start with, later what to arm. */
export interface Word {
  readonly env?: Readonly<Record<string, string>>;
  readonly failpoints?: string;
}

await import(`../../../cmd/${process.env.PROGRAM}/start.ts`);
// Without the test there is nothing to do.
process.on("disconnect", () => process.exit(1));
const { env } = await new Promise<Word>((resolve) => process.once("message", resolve));
Object.assign(process.env, env);
process.on("message", ({ failpoints = "" }: Word) => {
  armFailpoints({ failpoints, allowFailpoints: true });
  process.send!("armed");
});
process.channel!.unref();
