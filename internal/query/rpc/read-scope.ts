import * as wire from "../../gen/footfall/query/v1/scope_pb.js";
import type { Accuracy, Identity, Merchant, Traffic } from "../question/question.ts";
import { timeZoneNamed } from "../time/calendar.ts";
import { nameOf } from "./field-errors.ts";

const TRAFFIC: Readonly<Record<Traffic, wire.Traffic>> = {
  people: wire.Traffic.PEOPLE,
  bots: wire.Traffic.BOTS,
  all: wire.Traffic.ALL,
};

const ACCURACY: Readonly<Record<Accuracy, wire.Accuracy>> = {
  balanced: wire.Accuracy.BALANCED,
  exact: wire.Accuracy.EXACT,
  fast: wire.Accuracy.FAST,
};

const IDENTITY: Readonly<Record<Identity, wire.Identity>> = {
  visitor: wire.Identity.VISITOR,
  person: wire.Identity.PERSON,
};

/** What a scope says beside its filter. */
export interface ReadScope {
  /** IANA name, the merchant's by default. */
  readonly timeZone: string;
  readonly traffic: Traffic;
  readonly accuracy: Accuracy;
  readonly identity: Identity;
}

/** @throws InvalidField on "scope.time_zone", "scope.traffic", "scope.accuracy" and "scope.identity". */
export function readScope(scope: wire.Scope | undefined, merchant: Merchant): ReadScope {
  const { timeZone = "", traffic = 0, accuracy = 0, identity = 0 } = scope ?? {};
  return {
    timeZone: timeZoneNamed(timeZone === "" ? merchant.timeZone : timeZone),
    traffic: traffic === wire.Traffic.UNSPECIFIED ? "people" : nameOf("scope.traffic", TRAFFIC, traffic),
    accuracy:
      accuracy === wire.Accuracy.UNSPECIFIED ? "balanced" : nameOf("scope.accuracy", ACCURACY, accuracy),
    identity:
      identity === wire.Identity.UNSPECIFIED ? "visitor" : nameOf("scope.identity", IDENTITY, identity),
  };
}
