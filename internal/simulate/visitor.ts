import type { Screen } from "../gen/footfall/event/v1/event_pb.js";
import { type Device, personDevice } from "./devices.ts";
import { hex16 } from "./ids.ts";
import { Random } from "./random.ts";
import type { Region } from "./regions.ts";

/** A person, as a shop's SDK sees them. */
export interface Visitor {
  readonly id: string;
  readonly device: Device;
  readonly language: string;
  readonly screen: Screen;
  readonly ip: string;
}

const VISITOR_SEED = 3;

/** First numbers of IPv4 addresses whose whole /8 is ordinary public space. */
const PUBLIC_FIRST = [
  5, 23, 31, 37, 46, 62, 77, 78, 79, 80, 81, 82, 84, 86, 87, 90, 91, 93, 94, 95, 109, 151, 176, 178, 188, 193,
  194, 195, 212, 213, 217,
];

/** A made-up public IPv4 address, or in one of eight cases an IPv6 address of the documentation range. */
export function address(random: Random): string {
  const bits = random.uint32();
  if ((bits & 7) === 0)
    return `2001:db8:${(bits >>> 16).toString(16)}:${random.below(0x1_0000).toString(16)}::1`;
  return `${random.of(PUBLIC_FIRST)}.${(bits >>> 8) & 0xff}.${(bits >>> 16) & 0xff}.${bits >>> 24}`;
}

/**
 * Visitor `number` of a merchant. All of it follows from (seed, merchant, number): nobody is remembered, and
 * still a visitor who comes back is the same person with the same device.
 */
export function visitorOf(seed: number, merchant: number, number: number, region: Region): Visitor {
  const random = new Random(seed, VISITOR_SEED, merchant, number);
  const device = personDevice(random);
  const [width, height] = random.of(device.screens);
  return {
    id: hex16(random),
    device,
    language: region.languages.pick(random),
    screen: { $typeName: "footfall.event.v1.Screen", width, height },
    ip: address(random),
  };
}

/** Who visits: each merchant's visitors are numbered in the order of their first visit. */
export class Population {
  readonly #known: Uint32Array;

  constructor(merchants: number) {
    this.#known = new Uint32Array(merchants);
  }

  /** The number of the next visit's visitor: a new one, or one who was here before, lately more likely. */
  next(merchant: number, random: Random): number {
    const known = this.#known[merchant]!;
    if (known === 0 || !random.chance(RETURNING)) {
      this.#known[merchant] = known + 1;
      return known;
    }
    const unit = random.unit();
    return known - 1 - Math.floor(unit * unit * known);
  }
}

/** Share of visits by someone who was there before. */
const RETURNING = 0.32;
