import { fileURLToPath } from "node:url";
import { type Child, startChild } from "../child.ts";
import { needLibraries } from "../need-libraries.ts";

/** A running S3 endpoint. */
export interface S3 extends Child {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  readonly bucket: string;
}

export interface S3Options {
  /** Holds the objects as files; created if it is missing, kept at the end. */
  readonly dataDir: string;
  /** Default: a free port. */
  readonly port?: number;
}

/** The one bucket there is. */
export const BUCKET = "footfall";

const MAIN = fileURLToPath(new URL("../../../cmd/s3-embedded/main.ts", import.meta.url));
const READY_MS = 60_000;

/**
 * Starts an S3 endpoint on 127.0.0.1, which takes any credentials; resolves when it accepts connections. Objects
 * that were put are there after a restart, also after kill -9; power loss is not provided for.
 */
export async function startS3({ dataDir, port = 0 }: S3Options): Promise<S3> {
  needLibraries(["fauxqs"], "start without --archive");
  let actual = 0;
  const child = await startChild({
    command: process.execPath,
    args: [MAIN, "--data-dir", dataDir, "--port", String(port), "--bucket", BUCKET],
    ready: ({ stdout }) => {
      actual = Number(/^ready (\d+)$/m.exec(stdout)?.[1] ?? 0);
      return actual > 0;
    },
    timeoutMs: READY_MS,
  });
  return { ...child, url: `http://127.0.0.1:${actual}`, bucket: BUCKET };
}

/** Settings with which a program uses it. */
export function s3Settings(url: string): Readonly<Record<string, string>> {
  return {
    FOOTFALL_S3_ENDPOINT: url,
    FOOTFALL_S3_BUCKET: BUCKET,
    FOOTFALL_S3_ACCESS_KEY_ID: "embedded",
    FOOTFALL_S3_SECRET_ACCESS_KEY: "embedded",
  };
}
