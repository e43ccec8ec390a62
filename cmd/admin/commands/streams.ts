import { natsSettings, streamSettings } from "../../../internal/config/programs/shared.ts";
import type { ConfigOf } from "../../../internal/config/setting.ts";
import { table } from "../../../internal/program/table.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import { connectNats } from "../../../internal/stream/connect.ts";
import { overviewStreams, type StreamOverview } from "../../../internal/stream/overview.ts";
import { NEARLY_FULL } from "../../../internal/stream/stream-fills.ts";
import { streamLimits } from "../../../internal/stream/stream-settings.ts";
import { command } from "../command.ts";

const settings = { ...natsSettings, ...streamSettings };

/** The streams, and how they differ from what is promised; changed if told to. */
async function overview(pool: Pool, config: ConfigOf<typeof settings>, apply: boolean) {
  const { partitions } = await readInstallation(pool);
  const nats = await connectNats(config, "admin", 10_000);
  try {
    return await overviewStreams(nats, { partitions, limits: streamLimits(config), apply });
  } finally {
    await nats.close();
  }
}

const HEAD = ["stream", "messages", "bytes", "full", "lag", "last", "leader", "full after, hours", "differs"];

const cellsOf = ({ name, state, differences }: StreamOverview) => [
  name,
  state?.messages,
  state?.bytes,
  fullOf(state?.fill),
  state?.lag,
  state?.lastTime,
  state?.leader,
  state?.fullAfterHours,
  state === undefined
    ? "is missing"
    : differences.map(({ setting, is, promised }) => `${setting}: ${is}, promised ${promised}`).join("\n"),
];

function fullOf(fill: number | undefined): string | undefined {
  if (fill === undefined) return undefined;
  return `${Math.round(fill * 100)} %${fill >= NEARLY_FULL ? ", nearly full" : ""}`;
}

export const STREAM_COMMANDS = [
  command({
    name: "streams show",
    description: "Shows what the streams hold, and how they differ from what is promised.",
    example: "",
    settings,
    run: (pool, config) => overview(pool, config, false),
    table: (streams) => table(HEAD, streams.map(cellsOf)),
  }),
  command({
    name: "streams apply",
    description:
      "Creates what is missing and changes what differs from what is promised. Exit code 1 when something could not be changed.",
    example: "--stream-replicas 3 --stream-max-age-hours 168",
    settings,
    run: (pool, config) => overview(pool, config, true),
    isOk: (streams) => !streams.some(({ applied }) => applied?.startsWith("not changed")),
    table: (streams) =>
      table(
        [...HEAD, "done"],
        streams.map((stream) => [...cellsOf(stream), stream.applied]),
      ),
  }),
];
