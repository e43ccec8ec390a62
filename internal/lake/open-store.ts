import type { s3 } from "../config/programs/s3.ts";
import type { ConfigOf } from "../config/setting.ts";
import { ObjectStore } from "./object-store.ts";

/** How long keys of files are used before they are asked for again, ms. */
const KEYS_FRESH_MS = 10_000;

/** The store that the settings name. Nothing is asked of it yet. */
export function openStore(config: ConfigOf<typeof s3>): ObjectStore {
  const { s3Endpoint: endpoint, s3AccessKeyId, s3SecretAccessKey } = config;
  const credentials = async () => ({
    accessKeyId: s3AccessKeyId() ?? "",
    secretAccessKey: s3SecretAccessKey() ?? "",
    expiration: new Date(Date.now() + KEYS_FRESH_MS),
  });
  return new ObjectStore({
    endpoint,
    region: config.s3Region,
    bucket: config.s3Bucket,
    prefix: config.s3Prefix,
    credentials: s3AccessKeyId() && s3SecretAccessKey() ? credentials : undefined,
    // A store of one's own seldom has a host name for each bucket.
    pathStyle: endpoint !== undefined,
  });
}
