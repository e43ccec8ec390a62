import { needLibraries } from "../embedded/need-libraries.ts";

/** Loads what shows the demo. @throws ConfigError where its libraries are missing. */
export async function loadDemo(): Promise<typeof import("./run.ts").runDemo> {
  needLibraries(["cli-progress"]);
  return (await import("./run.ts")).runDemo;
}
