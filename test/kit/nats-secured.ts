import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, startChild } from "../../internal/embedded/child.ts";
import { freePort } from "../../internal/embedded/free-port.ts";
import { findNatsServer } from "../../internal/embedded/nats/find.ts";

export interface SecuredNats extends Child {
  /** 127.0.0.1:PORT */
  readonly at: string;
}

/** Starts nats-server with a configuration of the test's own, without its `listen`, in a folder. */
export async function startSecuredNats(
  folder: string,
  configuration: string,
  port?: number,
): Promise<SecuredNats> {
  const at = `127.0.0.1:${port ?? (await freePort())}`;
  const file = join(folder, `nats-${at.split(":")[1]}.conf`);
  writeFileSync(file, `listen: "${at}"\n${configuration}\n`);
  const child = await startChild({
    command: await findNatsServer(),
    args: ["--config", file],
    ready: ({ stderr }) => stderr.includes("Server is ready"),
    timeoutMs: 30_000,
  });
  return { ...child, at };
}
