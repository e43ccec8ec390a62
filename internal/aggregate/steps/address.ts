/** What an absolute url is made of, without its query and fragment. */
export interface Address {
  /** Lower case. */
  readonly scheme: string;
  /** In the URL standard's form, without a last dot; undefined where there is none, or none that could be one. */
  readonly host: string | undefined;
  /** As it was sent; may be empty. */
  readonly path: string;
}

/** Scheme, authority and path. */
const ABSOLUTE = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/;

/** The parts of an absolute url; undefined for a text that is none. */
export function addressOf(url: string): Address | undefined {
  const found = ABSOLUTE.exec(url);
  if (found === null) return undefined;
  return { scheme: found[1]!.toLowerCase(), host: canonicalHost(found[2]!), path: found[3]! };
}

/** Longer than any host written in percent-encoding, characters: what is longer is not parsed. */
const MAX_WRITTEN = 1_024;
/** Of a host's name in DNS, characters. */
const MAX_HOST = 253;
/** What needs no more than lower case. One whose last label begins with a digit may be an odd form of an IPv4 address. */
const PLAIN = /^(?:[A-Za-z0-9_-]*\.)*[A-Za-z_-][A-Za-z0-9_-]*$/;

/**
 * A host as the URL standard writes it (url.spec.whatwg.org, host parsing): ASCII ("xn--bcher-kva.example"), lower case,
 * IPv6 shortened and in brackets; without user, port and last dot. Undefined for a text that is no host.
 */
export function canonicalHost(authority: string): string | undefined {
  // As browsers do, which take "\\" for "/".
  const backslash = authority.indexOf("\\");
  const whole = backslash === -1 ? authority : authority.slice(0, backslash);
  const behindUser = whole.slice(whole.lastIndexOf("@") + 1);
  const end = behindUser.startsWith("[") ? behindUser.indexOf("]") + 1 : behindUser.indexOf(":");
  const written = end === -1 ? behindUser : behindUser.slice(0, end);
  const host = written.endsWith(".") ? written.slice(0, -1) : written;
  if (host === "" || host.length > MAX_WRITTEN) return undefined;
  const ascii = PLAIN.test(host) ? host.toLowerCase() : parsedHost(host);
  return ascii === "" || ascii.length > MAX_HOST ? undefined : ascii;
}

/** Empty for a text that is no host. */
function parsedHost(host: string): string {
  const parsed = URL.parse(`http://${host}/`)?.hostname ?? "";
  return parsed.endsWith(".") ? parsed.slice(0, -1) : parsed;
}

/** Google's caches of pages and translations: a page is under its own host, with "-" for a dot and "--" for "-". */
const CACHES = [".cdn.ampproject.org", ".translate.goog"];

/**
 * The host that an address belongs to, as sites are told apart: canonical and without www.; undefined for a text that is
 * no address of a page. An Android app that sends a visitor is "android-app:PACKAGE".
 */
export function hostOf(text: string): string | undefined {
  const { scheme, host } = addressOf(text) ?? {};
  if (host === undefined) return undefined;
  if (scheme === "android-app") return `android-app:${host}`;
  if (scheme !== "https" && scheme !== "http") return undefined;
  const cache = CACHES.find((domain) => host.endsWith(domain));
  return withoutWww(cache === undefined ? host : cachedHost(host.slice(0, -cache.length)));
}

function cachedHost(label: string): string {
  return label.replaceAll(/--?/g, (dashes) => (dashes === "-" ? "." : "-"));
}

export function withoutWww(host: string): string {
  return host.startsWith("www.") && host.length > 4 ? host.slice(4) : host;
}
