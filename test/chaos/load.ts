import { Random } from "../../internal/simulate/random.ts";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import type { AckLedger } from "./ack-ledger.ts";
import { HostileClient } from "./hostile/client.ts";
import type { Hostile } from "./hostile/sent.ts";
import type { Past } from "./past.ts";
import type { Problem } from "./problem.ts";
import { type ClientProfile, Sdk } from "./sdk.ts";
import type { System } from "./system.ts";
import { partsOfKind } from "./topology.ts";
import { Traffic } from "./traffic.ts";
import { StreamTransport, UnaryTransport } from "./transport.ts";

const USUAL = { tryMs: 2_500, isLate: false, repeats: false, streams: false };

/** The SDKs of a round. */
const CLIENT_PROFILES: readonly ClientProfile[] = [
  // So impatient that it often sends again what is still on its way.
  { ...USUAL, name: "retrying", tryMs: 600 },
  { ...USUAL, name: "duplicating", repeats: true },
  { ...USUAL, name: "late", isLate: true },
  { ...USUAL, name: "streaming", streams: true },
];

/** Keep the choices of SDKs and attacks apart from the traffic and the plan. */
const CHOICES = 3;
const ATTACKS = 4;

export interface LoadOptions {
  readonly system: System;
  readonly seed: number;
  readonly round: number;
  readonly merchants: readonly CreatedMerchant[];
  /** Merchants of earlier rounds, some of whose events are sent again. */
  readonly revisited: readonly CreatedMerchant[];
  readonly ledger: AckLedger;
  readonly past: Past;
  /** New events a second. */
  readonly rate: number;
  readonly hostile: Hostile;
}

/** The traffic of one round: several SDKs that send side by side, and a hostile client. */
export class Load {
  readonly #sdks: readonly Sdk[];
  readonly #refusals: Problem[] = [];
  readonly #hostile: HostileClient;

  constructor(options: LoadOptions) {
    const { system, seed, round, hostile } = options;
    this.#hostile = new HostileClient({
      ...hostile,
      collectorPorts: partsOfKind("collector").map((part) => system.servicePort(part)),
      queryPort: system.servicePort("query-1"),
      random: new Random(seed, round, ATTACKS),
    });
    this.#sdks = CLIENT_PROFILES.map((profile, sdk) => this.#start(profile, sdk, options));
  }

  /** Answers that nobody must ever get: refusals of events in order, and failures. */
  get wrongAnswers(): readonly Problem[] {
    return [...this.#refusals, ...this.#hostile.problems];
  }

  /** Nothing new from now on. @returns false when not all is acked within `timeoutMs`; then it is given up. */
  async drained(timeoutMs: number): Promise<boolean> {
    await this.#hostile.end();
    const drained = Promise.all(this.#sdks.map((sdk) => sdk.drained())).then(() => true);
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(false), timeoutMs);
    const isDrained = await Promise.race([drained, late.promise]);
    clearTimeout(timer);
    this.giveUp();
    return isDrained;
  }

  /** Ends all sending. */
  giveUp(): void {
    void this.#hostile.end();
    for (const sdk of this.#sdks) sdk.giveUp();
  }

  #start(profile: ClientProfile, sdk: number, options: LoadOptions): Sdk {
    const { system, seed, round, merchants, rate } = options;
    const Transport = profile.streams ? StreamTransport : UnaryTransport;
    return new Sdk({
      ...options,
      profile,
      rate: rate / CLIENT_PROFILES.length,
      traffic: new Traffic({ seed, round, sdk, merchants: merchants.length, isLate: profile.isLate }),
      random: new Random(seed, round, CHOICES, sdk),
      transports: partsOfKind("collector").map((collector) => ({
        collector,
        transport: new Transport(system.collectorUrl(collector)),
      })),
      onRefusal: (merchantId, eventIds, why) => {
        const message = `${profile.name} SDK: ${why}`;
        this.#refusals.push(
          ...eventIds.map((eventId) => ({ kind: "refused", merchantId, eventId, message }) as const),
        );
      },
    });
  }
}
