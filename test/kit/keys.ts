import { withCheck } from "../../internal/store/key-text.ts";

/** A key of a short name, such as ffw_one, filled up to a key's length and completed by its check. */
export function testKey(name: string): string {
  return withCheck(name.padEnd(47, "0"));
}
