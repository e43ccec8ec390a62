import { is, TOKEN } from "./char-classes.ts";

/** Names of parameters whose values are personal data or secrets; compared in lower case, without - _ . and []. */
const PERSONAL: ReadonlySet<string> = new Set(
  `name fname lname user login tel telefon cell mobile mobilenumber mobileno msisdn whatsapp fax pwd pass auth
    authorization bearer jwt otp pin session sessionid sid jsessionid phpsessid oobcode dob birthday birthdate
    dateofbirth address street cvv cvc creditcard ccnumber cardno cardnum pan socialsecuritynumber taxid passport mceid
    hsenc`.split(/\s+/),
);

/** ... and how such names end: billing_email, user[password], access_token. */
const PERSONAL_ENDINGS =
  /(mail|mailaddress|phone|phonenumber|telephone|firstname|lastname|surname|familyname|givenname|fullname|username|password|passwd|token|secret|apikey|ssn|iban|cardnumber|streetaddress)$/;

/** Names that tell of secrets and of harmless things: the value decides (code=SPRING10). */
const SECRET =
  /^(key|code|sig|signature|xamzsignature|xamzcredential|ticket|credentials?|verifier|codeverifier|nonce|hmac|samlrequest|samlresponse|accesskey|authkey|resetkey|activationkey|confirmationkey|challenge|magic|invite)$/;

/** Names of what merely looks like a card's number: ids, order and product numbers, times. */
const NUMBERED =
  /(ids?|clid|(orders?|items?|products?|articles?|invoice|customer|tracking|serial|part|variants?|sku|ean|gtin|upc|isbn|timestamp|time|date)(number|num|no|nr)?)$|^(p|t|ts|v|version|ref|posts?|status|video|cb|rnd|rand|cache)$/;

export type NameKind = "personal" | "secret" | "plain";

/** What is known of names: a shop's pages have the same few again and again. */
const known = new Map<string, NameKind>();
const MOST_KNOWN = 1_000;

/** @param name decoded. */
export function kindOfName(name: string): NameKind {
  let kind = known.get(name);
  if (kind === undefined) {
    kind = find(name.toLowerCase().replace(/[-_.[\]\s+]/g, ""));
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(name, kind);
  }
  return kind;
}

function find(plain: string): NameKind {
  if (PERSONAL.has(plain) || PERSONAL_ENDINGS.test(plain)) return "personal";
  return SECRET.test(plain) ? "secret" : "plain";
}

/** Whether a parameter or a folder of this name has numbers that are nobody's card. */
export function isNumbered(name: string): boolean {
  return NUMBERED.test(name.replace(/[-_.[\]\s+]/g, ""));
}

/** Folders of addresses behind which a secret stands, such as /reset-password/...; their words joined as they may be. */
const BEFORE_SECRETS: ReadonlySet<string> = new Set(
  `token,tokens,reset,reset password,password reset,forgot password,set password,new password,change password,verify,
    verification,verify email,email verification,confirm,confirmation,confirm email,activate,activation,magic link,
    magic,invite,invitation,invitations,unsubscribe,opt out`
    .split(/,\s*/)
    .flatMap((words) => ["", "-", "_", "."].map((sign) => words.replace(" ", sign))),
);

/** @param name decoded, in lower case. */
export function isBeforeSecrets(name: string): boolean {
  return BEFORE_SECRETS.has(name);
}

/** Whether a text is no word but a key: UUID or long hexadecimal digits, or 20 and more with capitals and digits. */
export function isSecret(text: string): boolean {
  if (text.length < 20) return false;
  if (/^[0-9a-f-]{32,}$/i.test(text)) return true;
  return /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text);
}

/** Of base64, base64url, hexadecimal digits. */
export function isOfSecret(code: number): boolean {
  return is(code, TOKEN) || SIGNS.has(code);
}

const SIGNS: ReadonlySet<number> = new Set([...".~+/="].map((char) => char.charCodeAt(0)));
