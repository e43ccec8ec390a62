import type { DescService } from "@bufbuild/protobuf";
import { Files } from "../config/changing-file.ts";
import { ConfigError } from "../config/config-error.ts";
import { readPemSettings } from "../config/pem-files.ts";
import type { Program } from "../config/read-config.ts";
import type { ConfigOf, Setting, Settings } from "../config/setting.ts";
import { armFailpoints, type FailpointSettings } from "../failpoint/failpoint.ts";
import { type Life, runProgram } from "../lifecycle/run-program.ts";
import { serveOperations } from "../rpc/connect-server.ts";
import { HealthState } from "../rpc/health.ts";
import { createLogger, type Logger } from "../telemetry/logger.ts";
import { createRegistry, type Registry } from "../telemetry/metrics.ts";
import { configOrExit } from "./config-or-exit.ts";
import { tellFiles } from "./tell-files.ts";

/** Settings that every service has. */
type ServiceSettings = Settings & {
  readonly opsHost: Setting<string>;
  readonly opsPort: Setting<number>;
  readonly logLevel: Setting<"debug" | "info" | "warn" | "error" | "silent">;
  readonly closeDeadlineMs: Setting<number>;
  readonly opsTlsCertificateFile: Setting<string | undefined>;
  readonly opsTlsKeyFile: Setting<string | undefined>;
  /** Of those that clients reach by load balancers. */
  readonly drainGraceMs?: Setting<number>;
};

/** What a service starts with. */
export interface Service<S extends Settings> {
  readonly config: ConfigOf<S>;
  readonly log: Logger;
  readonly registry: Registry;
  readonly life: Life;
  readonly health: HealthState;
  /** The files that it reads anew when they change. */
  readonly files: Files;
}

/**
 * Runs a service from its command line and environment to its end: reads the configuration once, opens the
 * operators' port, starts, reports itself healthy, and at the first signal drains and closes.
 * @param services that it offers over gRPC, for the health protocol and reflection.
 * @param start acquires what the service needs and registers its closers.
 */
export async function runService<S extends ServiceSettings>(
  program: Program<S>,
  services: readonly DescService[],
  start: (service: Service<S>) => Promise<void>,
): Promise<void> {
  const files = new Files();
  const config = configOrExit(program, files);
  const {
    opsHost,
    opsPort,
    logLevel,
    closeDeadlineMs,
    drainGraceMs = 0,
    opsTlsCertificateFile: certificate,
    opsTlsKeyFile: key,
  } = config as ConfigOf<ServiceSettings>;
  const log = createLogger(program.name, logLevel);
  const report = (message: string) => log.error(message);
  const health = new HealthState(services.map(({ typeName }) => typeName));
  await runProgram(
    async (life) => {
      armOrRefuse(config as FailpointSettings);
      const registry = createRegistry(program.name);
      tellFiles(files, log, registry);
      const ops = await serveOperations({
        host: opsHost,
        port: opsPort,
        services,
        health,
        registry,
        log,
        shutdown: life.stopping,
        tls: readPemSettings("FOOTFALL_OPS_TLS_*_FILE", { ca: undefined, certificate, key }, files),
      });
      life.onClose("operations port", () => ops.close());
      life.stopping.addEventListener("abort", () => health.drain());
      await start({ config, log, registry, life, health, files });
      health.started();
      log.info({ opsPort: ops.port }, "started");
    },
    { closeDeadlineMs, graceMs: drainGraceMs, onSignal: () => health.drain(), report },
  );
}

/** @throws ConfigError */
function armOrRefuse(settings: FailpointSettings): void {
  try {
    armFailpoints(settings);
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error));
  }
}
