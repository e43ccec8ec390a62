import { getPublicSuffix } from "tldts";

/** What is known of hosts. Hosts are as `hostOf` gives them: ASCII, lower case, without www. and port. */
export class HostTable<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly isAlone: boolean }>();

  /**
   * @param pattern a host that stands for all hosts below it too, or with "=" before it for itself alone. With "*" at
   * its end ("google.*") it stands for the host under com and under the suffixes of all countries (de, co.uk, com.br).
   * What was added first stays.
   */
  add(pattern: string, value: T): void {
    const isAlone = pattern.startsWith("=");
    const host = isAlone ? pattern.slice(1) : pattern;
    if (!this.#entries.has(host)) this.#entries.set(host, { value, isAlone });
  }

  /** Of an exact host, whatever is known of those above it. */
  exactly(host: string): T | undefined {
    return this.#entries.get(host)?.value;
  }

  /** Of the longest host that stands for this one; that of one country before that of all. */
  find(host: string): T | undefined {
    const starred = withStar(host);
    for (let at = 0; at !== -1; at = dotAfter(host, at)) {
      const found =
        this.#from(host, at) ??
        (starred !== undefined && at < starred.length - 1 ? this.#from(starred, at) : undefined);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #from(host: string, at: number): T | undefined {
    const entry = this.#entries.get(at === 0 ? host : host.slice(at));
    return entry === undefined || (entry.isAlone && at > 0) ? undefined : entry.value;
  }
}

/** Whether a host, or one above it, is in the set. */
export function isWithin(host: string, hosts: ReadonlySet<string>): boolean {
  for (let at = 0; at !== -1; at = dotAfter(host, at)) {
    if (hosts.has(at === 0 ? host : host.slice(at))) return true;
  }
  return false;
}

/** Where the next label begins, or -1. */
function dotAfter(host: string, at: number): number {
  const dot = host.indexOf(".", at);
  return dot === -1 ? -1 : dot + 1;
}

/** What a site with one domain in each country registers under. */
const COUNTRY = /^(com|[a-z]{2}|(co|com|net|org|ne|or)\.[a-z]{2})$/;

/** "images.google.*" of images.google.co.uk; undefined of a host under another suffix. */
function withStar(host: string): string | undefined {
  const suffix = getPublicSuffix(host, { extractHostname: false, validateHostname: false });
  if (suffix === null || suffix.length >= host.length || !COUNTRY.test(suffix)) return undefined;
  return `${host.slice(0, -suffix.length)}*`;
}
