import { freePort } from "../../internal/embedded/free-port.ts";
import { startProgram } from "../../internal/standalone/programs.ts";
import { CONNECTIONS } from "./statements.ts";

/** The query service, as it is run: in a process of its own. */
export interface Service {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Nobody is refused: the bench measures also what the service would not answer so many of. */
const LIMITS = {
  MAX_CONNECTIONS: String(CONNECTIONS),
  MAX_WAITING: "100000",
  STATEMENT_TIMEOUT_MS: "600000",
  MAX_TIMEOUT_MS: "3600000",
  COST_UNITS_PER_HOUR: "1000000000",
  REQUESTS_PER_MINUTE: "10000000",
};

/** Starts it. @param keepsAnswers false: each question is worked on, also one that was asked before. */
export async function startService(databaseUrl: string, keepsAnswers: boolean): Promise<Service> {
  const port = String(await freePort());
  const settings = { ...LIMITS, PORT: port, ...(!keepsAnswers && { ANSWER_CACHE_BYTES: "0" }) };
  const env = Object.entries(settings).map(([name, value]) => [`FOOTFALL_QUERY_${name}`, value] as const);
  const { pid, stop } = await startProgram("query", await freePort(), {
    ...Object.fromEntries(env),
    DATABASE_URL: databaseUrl,
    FOOTFALL_LOG_LEVEL: "warn",
  });
  return { url: `http://127.0.0.1:${port}`, pid, stop };
}
