import { parseArgs } from "node:util";
import { serveS3 } from "../../internal/embedded/s3/serve.ts";

const { values } = parseArgs({
  options: { "data-dir": { type: "string" }, port: { type: "string" }, bucket: { type: "string" } },
});
const { "data-dir": dataDir, port, bucket } = values;
if (!dataDir || !port || !bucket) throw new Error("usage: s3-embedded --data-dir DIR --port N --bucket NAME");
const served = await serveS3(dataDir, Number(port), bucket);
const stop = () => void served.close().then(() => process.exit(0));
process.on("SIGTERM", stop).on("SIGINT", stop);
process.stdin.on("end", stop).on("error", stop).resume();
console.log(`ready ${served.port}`);
