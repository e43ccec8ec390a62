import { randomUUID } from "node:crypto";

/** A new UUIDv7 with a time of one's choice inside, ms since 1970-01-01 UTC. */
export function uuidV7Of(time: number): string {
  const hex = time.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`;
}
