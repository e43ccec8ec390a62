import type { StepContext } from "../../internal/aggregate/steps/step.ts";

/** A salt for every day: 32 bytes that tell the day. */
export const testSalts: ReadonlyMap<number, Uint8Array> = Object.assign(new Map<number, Uint8Array>(), {
  get: (day: number) => Buffer.alloc(32, String(day)),
});

/** What steps know in tests: a salt for every day, and no merchants, rates or places unless told. */
export function testContext(fields: Partial<StepContext> = {}): StepContext {
  return {
    currencies: new Map(),
    rate: () => undefined,
    salts: testSalts,
    placeOf: () => undefined,
    rollupStarts: new Map(),
    merchantSites: new Map(),
    ...fields,
  };
}
