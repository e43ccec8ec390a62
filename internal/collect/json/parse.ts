import { Failure } from "../../failure/failure.ts";

/** A whole number of so many digits may be more than a double holds. */
const LONG_INTEGER = /[:[,]\s*-?\d{16,}/;

/**
 * The value of a JSON text; whole numbers that a double does not hold are texts of their digits. Of a name that comes
 * twice in one object the last counts.
 * @throws Failure invalid when it is no JSON.
 */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return LONG_INTEGER.test(text) ? withLongIntegers(text, value) : value;
  } catch (cause) {
    throw new Failure("invalid", `body: is no JSON: ${(cause as Error).message}`, { cause });
  }
}

/** @param value what is given where the text is nested too deeply to be read so. */
function withLongIntegers(text: string, value: unknown): unknown {
  try {
    return JSON.parse(text, exact);
  } catch (error) {
    if (error instanceof RangeError) return value;
    throw error;
  }
}

function exact(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  return /^-?\d+$/.test(source) ? source : value;
}
