import type { BatchView } from "../../event/batch-view.ts";
import { isIgnored } from "../sites/ignored-referrers.ts";
import { siteOf } from "../sites/known-sites.ts";
import { isOwnSite, type MerchantSites } from "../sites/own-site.ts";
import { hostOf } from "./address.ts";
import { type Campaign, campaignOf } from "./campaign.ts";
import { channelOf } from "./channel.ts";
import { CLICK_IDS } from "./click-ids.ts";
import type { Step } from "./step.ts";

/**
 * The columns of SOURCE_COLUMNS for an event of a page; undefined when it did not begin a visit.
 * @param page host of the page's address, @param referrer host of the referrer, as hostOf gives them.
 * @param sites what the merchant says of sites.
 */
export function sourceOf(
  page: string | undefined,
  campaign: Campaign | undefined,
  referrer: string | undefined,
  sites: MerchantSites | undefined,
): readonly (string | null)[] | undefined {
  const isOutside =
    referrer !== undefined && !isOwnSite(page, referrer, sites) && !isIgnored(referrer, sites);
  const sender = isOutside ? senderOf(referrer) : undefined;
  const host = isOutside ? referrer : null;
  if (campaign !== undefined) return [...tagged(campaign, sender), host];
  if (sender !== undefined) return [...record(sender.source, sender.medium), host];
  // From one page of the site to the next, or back from paying; or an event that tells of no page at all.
  if (referrer !== undefined || page === undefined) return undefined;
  return [...record("(direct)", "(none)"), null];
}

interface Sender {
  readonly source: string;
  readonly medium: string;
}

/** Media that a known site gives to a visit from it; others are referrals. */
const MEDIA: Partial<Record<string, string>> = { search: "organic", ai: "ai-assistant", mail: "email" };

function senderOf(referrer: string): Sender {
  const site = siteOf(referrer);
  const medium = MEDIA[site?.kind ?? ""] ?? "referral";
  return { source: site?.kind === "search" ? site.name : referrer, medium };
}

/**
 * An ad system's own tag comes first, then what the link says, then other click ids, then the referrer. The campaign's
 * name stays what the link says in any case.
 */
function tagged(campaign: Campaign, sender: Sender | undefined): readonly (string | null)[] {
  const click = campaign.clickId === null ? undefined : CLICK_IDS.get(campaign.clickId);
  if (click?.strength === "auto") return record(click.source, click.medium, campaign);
  const isWeak = click?.strength === "weak";
  const guess = click === undefined || (isWeak && sender !== undefined) ? sender : click;
  const isNamed = campaign.source !== null || campaign.medium !== null;
  const source = campaign.source ?? guess?.source ?? "(not set)";
  // A link that names its source alone has no medium, as long as no ad says otherwise.
  const medium =
    campaign.medium ??
    (isNamed && (guess === sender || isWeak) ? "(not set)" : (guess?.medium ?? "(not set)"));
  return record(source, medium, campaign);
}

/** All but referrer_host. */
function record(source: string, medium: string, campaign?: Campaign): readonly (string | null)[] {
  const channel = channelOf({ source, medium, campaign: campaign?.campaign?.toLowerCase() ?? "" });
  const { campaign: name = null, id = null, term = null, content = null, clickId = null } = campaign ?? {};
  return [channel, source, medium, name, id, term, content, clickId];
}

/** A page's address or a referrer, numbered from 1 within its batch: equal ones have one number. */
interface Parsed {
  readonly host: string | undefined;
  readonly campaign: Campaign | undefined;
}

/** Parses the texts of a column, each once. */
class ParsedColumn {
  readonly parsed: Parsed[] = [{ host: undefined, campaign: undefined }];
  readonly #column: Uint32Array | undefined;
  readonly #numbers: Uint32Array;
  readonly #byKey = new Map<string, number>();
  readonly #batch: BatchView;
  readonly #parse: (text: string) => Parsed;

  constructor(batch: BatchView, column: Uint32Array | undefined, parse: (text: string) => Parsed) {
    this.#batch = batch;
    this.#column = column;
    this.#parse = parse;
    this.#numbers = new Uint32Array(column === undefined ? 0 : batch.dictionary.size + 1);
  }

  /** Number of a row's parsed text; 0 where it is absent. */
  of(row: number): number {
    const index = this.#column?.[row] ?? 0;
    if (index === 0) return 0;
    return this.#numbers[index]! || this.#add(index);
  }

  #add(index: number): number {
    const one = this.#parse(this.#batch.dictionary.text(index)!);
    const key = one.campaign === undefined ? `${one.host}` : JSON.stringify(one);
    let number = this.#byKey.get(key);
    if (number === undefined) {
      number = this.parsed.push(one) - 1;
      this.#byKey.set(key, number);
    }
    this.#numbers[index] = number;
    return number;
  }
}

/** The host of a referrer without a scheme, as some servers and apps tell it, where it is a known site's. */
function knownHost(text: string): string | undefined {
  const host = hostOf(`https://${text.startsWith("//") ? text.slice(2) : text}`);
  return host?.includes(".") && siteOf(host) !== undefined ? host : undefined;
}

/** Keys of derived texts by page and by referrer. */
type Keys = Map<number, number>[];

/**
 * Source, medium, campaign and channel of the event: what its page's address says (UTM parameters, click ids), or
 * else its referrer; and the referrer's host, of other sites than the merchant's own and ignored ones. An event that a page of the same site led to has none: it does not begin a visit.
 */
export const source: Step = {
  name: "source",
  version: 3,
  run(batch, { source }, { merchantSites }) {
    const pages = new ParsedColumn(batch, batch.text("url"), (url) => ({
      host: hostOf(url),
      campaign: campaignOf(url),
    }));
    const referrers = new ParsedColumn(batch, batch.text("referrer"), (text) => ({
      host: hostOf(text) ?? knownHost(text),
      campaign: undefined,
    }));
    const keys = new Uint32Array(batch.rows);
    const common: Keys = [];
    /** Of merchants that say something of sites: what is known of others does not hold for them. */
    const own = new Map<MerchantSites, Keys>();
    // Key 0 is of events without a source.
    source.texts.push(undefined);
    source.keys = keys;
    for (let row = 0; row < batch.rows; row++) {
      const page = pages.of(row);
      const referrer = referrers.of(row);
      const sites = merchantSites.size === 0 ? undefined : merchantSites.get(batch.merchantIds[row]!);
      const known = sites === undefined ? common : keysOf(own, sites);
      known[page] ??= new Map();
      let key = known[page].get(referrer);
      if (key === undefined) {
        const { host, campaign } = pages.parsed[page]!;
        const texts = sourceOf(host, campaign, referrers.parsed[referrer]!.host, sites);
        key = texts === undefined ? 0 : source.texts.push(texts) - 1;
        known[page].set(referrer, key);
      }
      keys[row] = key;
    }
  },
};

function keysOf(own: Map<MerchantSites, Keys>, sites: MerchantSites): Keys {
  const keys = own.get(sites) ?? [];
  own.set(sites, keys);
  return keys;
}
