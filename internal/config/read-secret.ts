import { ChangingFile, type Files } from "./changing-file.ts";
import { ConfigError } from "./config-error.ts";
import { fileVariable, type Secret } from "./setting.ts";

/**
 * A secret's value at each moment: of its variable, or of its file, without the white space at its end.
 * @returns what is wrong instead, which never repeats the value.
 */
export function readSecret<T>(
  setting: Secret<T>,
  env: NodeJS.ProcessEnv,
  files: Files,
): (() => T) | { readonly problems: readonly string[] } {
  const { env: variable, fallback, isOptional, description } = setting;
  const inFile = fileVariable(setting);
  const path = env[inFile];
  const text = env[variable] ?? fallback;
  if (path) {
    if (env[variable]) return { problems: [`${variable} and ${inFile} are both given`] };
    return named(inFile, () => {
      const file = new ChangingFile([path], ([content]) => parse(setting, content!.trimEnd()), files);
      return () => file.value;
    });
  }
  if (text === undefined) {
    if (isOptional) return () => undefined as T;
    return { problems: [`${variable} or ${inFile} is required: ${description}`] };
  }
  return named(variable, () => {
    const value = parse(setting, text);
    return () => value;
  });
}

function named<T>(name: string, read: () => T): T | { readonly problems: readonly string[] } {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problems: error.message.split("\n").map((line) => `${name}: ${line}`) };
  }
}

/** @throws ConfigError, a line for each thing that is wrong. */
function parse<T>({ schema }: Secret<T>, text: string): T {
  const result = schema.safeParse(text);
  if (result.success) return result.data;
  throw new ConfigError(result.error.issues.map(({ message }) => `the value ${message}`).join("\n"));
}
