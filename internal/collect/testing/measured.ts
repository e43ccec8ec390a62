import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Taken } from "./hold.ts";

/** A collector in another process, and what requests take of it. */
export interface Measured {
  readonly port: number;
  readonly url: string;
  measure(work: () => Promise<unknown>): Promise<Taken>;
  close(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL("./measured-collector.ts", import.meta.url));

/** @param heapMb most of the JavaScript heap. */
export async function startMeasured(heapMb = 512): Promise<Measured> {
  const execArgv = ["--expose-gc", `--max-old-space-size=${heapMb}`];
  const child = fork(PROGRAM, { execArgv });
  const next = async () => (await once(child, "message"))[0] as unknown;
  const port = (await next()) as number;
  const ask = (task: string) => {
    const answer = next();
    child.send(task);
    return answer;
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async measure(work) {
      await ask("begin");
      await work();
      return (await ask("end")) as Taken;
    },
    async close() {
      const gone = once(child, "exit");
      child.send("close");
      await gone;
    },
  };
}
