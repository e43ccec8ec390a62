import { readInstallation } from "../../../internal/store/migrate.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import { connectNats } from "../../../internal/stream/connect.ts";
import { overviewStreams, type StreamOverview } from "../../../internal/stream/overview.ts";
import { streamLimits } from "../../../internal/stream/stream-settings.ts";
import type { Config } from "./command.ts";

/** The streams, and how they differ from what is promised; changed if told to. */
export async function streams(pool: Pool, config: Config): Promise<readonly StreamOverview[]> {
  const { partitions } = await readInstallation(pool);
  const nats = await connectNats(config.natsUrl, "admin", 10_000);
  try {
    return await overviewStreams(nats, { partitions, limits: streamLimits(config), apply: config.apply });
  } finally {
    await nats.close();
  }
}
