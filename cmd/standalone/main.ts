import { standalone } from "../../internal/config/programs/standalone.ts";
import { runProgram } from "../../internal/lifecycle/run-program.ts";
import { configOrExit } from "../../internal/program/config-or-exit.ts";
import { importLine } from "../../internal/standalone/import-line.ts";
import { startInstallation } from "../../internal/standalone/installation.ts";

const config = configOrExit(standalone);
const say = (text: string) => process.stderr.write(`${text}\n`);

await runProgram(
  async (life) => {
    const { collectorPort, queryPort, logLevel } = config;
    const installation = await startInstallation({
      ...config,
      databaseUrl: config.databaseUrl(),
      natsUrl: config.natsUrl(),
      ports: { collector: collectorPort, query: queryPort },
      env: { FOOTFALL_LOG_LEVEL: logLevel },
      events: {
        started: (name, ms) => say(`${name} started in ${Math.round(ms)} ms`),
        died: (name, code) => say(`${name} died (${code ?? "by a signal"}), starting it again`),
        failed: (name, error) =>
          say(`${name} did not start: ${error instanceof Error ? error.message : error}`),
      },
    });
    life.onClose("installation", () => installation.stop());
    say(`collector  ${installation.collectorUrl}`);
    say(`query      ${installation.queryUrl}`);
    say(`database   psql ${installation.databaseWord}`);
    say(
      `merchants  DATABASE_URL=${installation.databaseWord} npm run admin -- merchants create --name "My shop"`,
    );
    say(`access log ${await importLine(config.dataDir, installation)}`);
    say("Ctrl-C stops everything");
  },
  { closeDeadlineMs: 60_000 },
);
