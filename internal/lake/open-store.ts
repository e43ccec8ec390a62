import type { s3 } from "../config/programs/s3.ts";
import type { ConfigOf } from "../config/setting.ts";
import { ObjectStore } from "./object-store.ts";

/** The store that the settings name. Nothing is asked of it yet. */
export function openStore(config: ConfigOf<typeof s3>): ObjectStore {
  const { s3Endpoint: endpoint, s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = config;
  return new ObjectStore({
    endpoint,
    region: config.s3Region,
    bucket: config.s3Bucket,
    prefix: config.s3Prefix,
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined
        ? undefined
        : { accessKeyId, secretAccessKey },
    // A store of one's own seldom has a host name for each bucket.
    pathStyle: endpoint !== undefined,
  });
}
