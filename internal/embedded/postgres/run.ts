import { prepareDataDir } from "./data-dir.ts";
import { Engine } from "./engine.ts";
import { lockDataDir } from "./lock.ts";
import { DATABASE, USER } from "./names.ts";
import { type ServerOptions, WireServer } from "./server.ts";

/** A database that is served by this process. */
export interface Served {
  readonly port: number;
  /** Rejects when the database died; the process should end then. */
  readonly died: Promise<never>;
  /** Ends all connections, writes a checkpoint, closes the database. */
  close(): Promise<void>;
}

/** Opens the cluster in `dataDir`, making it first if need be, and serves it from this process. */
export async function serveTimescale(dataDir: string, options: ServerOptions): Promise<Served> {
  await prepareDataDir(dataDir);
  const unlock = lockDataDir(dataDir);
  const server = new WireServer(await Engine.open(dataDir, USER, DATABASE), options);
  const port = await server.listen();
  const close = async () => {
    await server.close();
    unlock();
  };
  return { port, died: server.died, close };
}
