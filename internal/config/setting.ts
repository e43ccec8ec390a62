import { z } from "zod";

/**
 * One thing that an operator can set: by flag, else by environment variable, else the default.
 * `schema` takes the text as given and returns the typed value, or says what is wrong with it.
 */
export interface Setting<T> {
  /** Absent: only a flag sets it; see withVariables. */
  readonly env?: string;
  /** Absent: the setting's key, in kebab case. */
  readonly flag?: string;
  readonly description: string;
  readonly schema: z.ZodType<T, unknown>;
  /** The text used when neither flag nor variable is given. Absent: the setting is required, or optional. */
  readonly fallback?: string;
  /** May be left out without a default: the value is undefined then. */
  readonly isOptional?: boolean;
  /** Never printed, not even in an error. One that has a variable has no flag: see Secret. */
  readonly secret?: boolean;
  /** The flag may stand alone, which means true. */
  readonly isSwitch?: boolean;
  /** The flag may be given several times, which is the same as once with commas. */
  readonly isList?: boolean;
}

/**
 * A setting that only its variable gives, or a file that the variable NAME_FILE names: whoever may list processes sees
 * their arguments. Its value is a function, as the file may change while the program runs.
 */
export interface Secret<T> extends Setting<T> {
  readonly env: string;
  readonly secret: true;
}

export type Settings = Readonly<Record<string, Setting<unknown>>>;
export type ConfigOf<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Secret<infer T> ? () => T : S[K] extends Setting<infer T> ? T : never;
};

export function isSecret(setting: Setting<unknown>): setting is Secret<unknown> {
  return setting.secret === true && setting.env !== undefined;
}

/** The variable that names the file of a secret. */
export const fileVariable = ({ env }: Secret<unknown>): string => `${env}_FILE`;

/** The name of a setting's flag, without its dashes. */
export function flagOf(key: string, { flag }: Setting<unknown>): string {
  return flag ?? key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

type WithVariables<S extends Settings> = { readonly [K in keyof S]: S[K] & { readonly env: string } };

/** Settings with the variables of their flags' names behind a prefix, such as FOOTFALL_QUERY; those that have one keep it. */
export function withVariables<const S extends Settings>(prefix: string, settings: S): WithVariables<S> {
  const named = Object.entries(settings).map(([key, setting]) => {
    const env = `${prefix}_${flagOf(key, setting).replaceAll("-", "_").toUpperCase()}`;
    return [key, { env, ...setting }];
  });
  return Object.fromEntries(named);
}

/** The same setting, which may be left out. */
export function optional<T>({ fallback: _, ...setting }: Setting<T>): Setting<T | undefined> {
  return { ...setting, isOptional: true };
}

/** A flag that is given or not. */
export const flag = (description: string): Setting<boolean> => ({
  description,
  schema: yesNo(),
  fallback: "false",
  isSwitch: true,
});

/** A whole number within [min, max]. */
export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d+$/, "is not a whole number")
    .transform(Number)
    .pipe(z.number().min(min, `is below ${min}`).max(max, `is above ${max}`));

/** A TCP port; 0 asks the system for a free one. */
export const port = () => integer(0, 65_535);

/** Text that is not empty. */
export const text = () => z.string().min(1, "is empty");

/** A date as YYYY-MM-DD. */
export const date = () => z.string().refine(isDate, "is not a date such as 2026-11-23");

function isDate(value: string): boolean {
  const time = Date.parse(value);
  return (
    /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(value)
  );
}

/** Text that may be empty, which stands for "not given". */
export const optionalText = () => z.string().transform((value) => (value === "" ? undefined : value));

/** yes or no. */
export const yesNo = () =>
  z.enum(["true", "false"], "is neither true nor false").transform((value) => value === "true");

/** One of a closed list. */
export const choice = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, `is none of ${values.join(", ")}`);

/** One of a closed list that is too long to print. @param kind what the list holds: "an ISO 4217 code". */
export const member = (kind: string, values: readonly string[]) => {
  const known = new Set(values);
  return z.string().refine((value) => known.has(value), `is not ${kind}`);
};

/** An address with one of the given schemes, such as "postgres". */
export const address = (...schemes: string[]) =>
  z.string().refine(
    (value) => {
      const scheme = URL.canParse(value) ? new URL(value).protocol.slice(0, -1) : "";
      return schemes.includes(scheme);
    },
    `is not an address that starts with ${schemes.map((s) => `${s}://`).join(" or ")}`,
  );
