import { Failure } from "../../failure/failure.ts";
import { parseFilter } from "../../query/syntax/parse-filter.ts";

/** The filter that a flag has as a text. @throws Failure "invalid" that names the flag. */
export function parseFilterFlag(flag: string, text: string) {
  try {
    return parseFilter(text);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure("invalid", `${flag}: ${error.message}`, { cause: error });
  }
}
