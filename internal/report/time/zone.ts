import { InvalidInput } from "../errors.ts";

/**
 * The IANA name of a time zone in its usual spelling ("asia/kathmandu" gives "Asia/Kathmandu").
 *
 * @throws InvalidInput on "time_zone" when the name is unknown, and for offsets such as "+05:45": they are
 * no names, and know nothing of the days on which a clock changes.
 */
export function timeZoneNamed(name: string): string {
  if (!/^[A-Za-z]/.test(name)) throw unknownZone(name);
  try {
    return new Temporal.ZonedDateTime(0n, name).timeZoneId;
  } catch {
    throw unknownZone(name);
  }
}

function unknownZone(name: string): InvalidInput {
  return new InvalidInput("time_zone", name, "is not the name of an IANA time zone");
}
