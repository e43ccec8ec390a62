import { freePort } from "../../internal/embedded/free-port.ts";
import { BUCKET, type S3, startS3 } from "../../internal/embedded/s3/start.ts";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import { ObjectStore } from "../../internal/lake/object-store.ts";

/** An S3 endpoint for one test file. */
export interface TestS3 {
  readonly url: string;
  /** The folder whose files are the objects. */
  readonly dataDir: string;
  /** Flags with which a program uses it. */
  readonly flags: Readonly<Record<string, string>>;
  /** Its objects under the test's prefix. */
  readonly store: ObjectStore;
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and files. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function openTestS3(prefix = "test/"): Promise<TestS3> {
  const directory = await temporaryDirectory("s3");
  const port = await freePort();
  const launch = () => startS3({ dataDir: directory.path, port });
  let server: S3 = await launch();
  const keys = { accessKeyId: "test", secretAccessKey: "test" };
  const store = new ObjectStore({
    endpoint: server.url,
    region: "us-east-1",
    bucket: BUCKET,
    prefix,
    credentials: async () => keys,
    pathStyle: true,
  });
  return {
    url: server.url,
    dataDir: directory.path,
    flags: {
      "s3-endpoint": server.url,
      "s3-bucket": BUCKET,
      "s3-prefix": prefix,
      "s3-access-key-id": keys.accessKeyId,
      "s3-secret-access-key": keys.secretAccessKey,
    },
    store,
    async kill() {
      process.kill(server.pid, "SIGKILL");
      await server.exited;
    },
    async start() {
      server = await launch();
    },
    async close() {
      store.close();
      await server.stop();
      await directory.remove();
    },
  };
}
