import { ConfigError } from "../config/config-error.ts";

/**
 * Checks that development's libraries are there, which an installation for production leaves out.
 * @param instead what else may be done, to be read after "or".
 * @throws ConfigError telling what to do.
 */
export function needLibraries(names: readonly string[], instead?: string): void {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const words = `${missing.join(", ")}: not installed, as after \`npm ci --omit=dev\`: run \`npm ci\``;
  throw new ConfigError(instead === undefined ? words : `${words}, or ${instead}`);
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}
