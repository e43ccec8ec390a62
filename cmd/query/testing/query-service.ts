import { query } from "../../../internal/config/programs/query.ts";
import { freePort } from "../../../internal/embedded/free-port.ts";
import { startTestService, type TestService } from "../../../test/kit/service.ts";
import { start } from "../start.ts";

/** What is told of a merchant that is made to ask. */
export const NEW_MERCHANT = { name: "Shop", timeZone: "UTC", currency: "EUR", retentionDays: 7_300 };

/** The query service inside of the test's process. */
export interface TestQuery extends TestService {
  /** http://... */
  readonly url: string;
}

/** Starts the query service on a free port. @param flags its other settings, by the names of their flags. */
export async function startTestQuery(
  databaseUrl: string,
  flags: Readonly<Record<string, string>> = {},
): Promise<TestQuery> {
  const port = String(await freePort());
  const service = await startTestService(query, start, { port, "database-url": databaseUrl, ...flags });
  return { ...service, url: `http://127.0.0.1:${port}` };
}
