/** A setting that is unknown, missing or wrong. The message names it, and the value unless it is secret. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
