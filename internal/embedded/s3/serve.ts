import { mkdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { buildApp } from "fauxqs";

/** An S3 endpoint that this process serves. */
export interface ServedS3 {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves S3 on 127.0.0.1 with one bucket, whose objects are files in `dataDir`. It takes any credentials.
 *
 * fauxqs' own start listens on all interfaces: its parts are put together here instead.
 */
export async function serveS3(dataDir: string, port: number, bucket: string): Promise<ServedS3> {
  await mkdir(dataDir, { recursive: true });
  const s3Store = new (await part("s3/s3Store.js")).S3Store!();
  const files = new (await part("s3/fileS3Persistence.js")).FileS3Persistence!(dataDir);
  files.loadS3(s3Store);
  s3Store.persistence = files;
  if (!s3Store.hasBucket(bucket)) s3Store.createBucket(bucket);
  const app = buildApp({ logger: false, stores: { s3Store } as never });
  app.addHook("preClose", async () => files.close());
  await app.listen({ port, host: "127.0.0.1" });
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
}

/** A module of fauxqs that its package does not name. */
// biome-ignore lint/suspicious/noExplicitAny: these classes have no types that can be imported.
async function part(path: string): Promise<Record<string, new (...args: unknown[]) => any>> {
  return await import(new URL(path, import.meta.resolve("fauxqs")).href);
}
