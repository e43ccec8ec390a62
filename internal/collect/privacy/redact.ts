/** What stands for a value that is taken out. */
export const REDACTED = "(redacted)";

/** Names of parameters whose values are personal data or secrets; compared in lower case, without - _ . and []. */
const NAMES: ReadonlySet<string> = new Set(
  `name fname lname user login tel mobile mobilenumber msisdn pwd pass auth authorization bearer jwt otp pin
    session sessionid sid jsessionid phpsessid oobcode dob birthday birthdate dateofbirth address street cvv cvc
    creditcard ccnumber socialsecuritynumber taxid passport mceid hsenc`.split(/\s+/),
);

/** ... and how such names end: billing_email, user[password], access_token. */
const ENDINGS =
  /(mail|mailaddress|phone|phonenumber|telephone|firstname|lastname|surname|familyname|givenname|fullname|username|password|passwd|token|secret|apikey|ssn|iban|cardnumber|streetaddress)$/;

/**
 * A mail address, with @ as it is or escaped, and what stands directly before it, escapes being taken as a whole.
 * Bounded, so that no text makes it slow.
 */
const MAIL =
  /(?<!%[0-9a-f]?)(?:[\w.!$'*+-]|%(?!40)[0-9a-f]{2}){1,64}(?:@|%40)(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?![a-z0-9.-])/gi;

/** Whether a text has any part that is looked at. */
const MAY_HOLD = /[?#@]|%40/;

const PARAMETER = /([?&#;])([^=&#;?]{1,256})=([^&#;]+)/g;
const USER_INFO = /^([a-z][a-z0-9+.-]{0,31}:\/\/)[^/?#]*@/i;

/**
 * An address (of a page, or what stands for a referrer) without personal data: values of parameters with telling
 * names, in the query and in the fragment; mail addresses anywhere; user and password before the host. What is
 * taken out is gone for good: this is done before the event is stored or sent anywhere.
 */
export function redact(text: string): string {
  if (!MAY_HOLD.test(text)) return text;
  // Most addresses have parameters and no @: what looks for one is the dearest part of it all.
  const hasAt = text.includes("@");
  const bare = hasAt ? text.replace(USER_INFO, "$1") : text;
  const clean = bare.replace(PARAMETER, (whole, before: string, name: string) =>
    isPersonal(name) ? `${before}${name}=${REDACTED}` : whole,
  );
  return hasAt || text.includes("%40") ? clean.replace(MAIL, REDACTED) : clean;
}

/** What is known of parameters' names: a shop's pages have the same few again and again. */
const known = new Map<string, boolean>();
const MOST_KNOWN = 1_000;

function isPersonal(name: string): boolean {
  let personal = known.get(name);
  if (personal === undefined) {
    personal = isPersonalName(name);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(name, personal);
  }
  return personal;
}

function isPersonalName(name: string): boolean {
  const plain = decoded(name)
    .toLowerCase()
    .replace(/[-_.[\]\s]/g, "");
  return NAMES.has(plain) || ENDINGS.test(plain);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
