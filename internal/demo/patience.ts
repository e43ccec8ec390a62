/** How long the demo waits for whatever a busy machine is late with, ms. */
export const PATIENCE_MS = 120_000;

const ms = String(PATIENCE_MS);

/**
 * Settings of the programs that the demo starts. What it shows is the straight path, on a slow machine too: events do
 * not take the way over the spool, and no report is given up, as the embedded database ends none before its time.
 */
export const DEMO_ENV = {
  FOOTFALL_LOG_LEVEL: "warn",
  FOOTFALL_COLLECTOR_SPOOL_AFTER_MS: "10000",
  FOOTFALL_QUERY_STATEMENT_TIMEOUT_MS: ms,
  FOOTFALL_QUERY_DATABASE_WAIT_MS: ms,
  FOOTFALL_QUERY_MAX_TIMEOUT_MS: ms,
};
