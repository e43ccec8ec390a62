import { WordTrie } from "./word-trie.ts";

/** What a name tells of its value: bits. */
export const Name = {
  /** Personal data or a secret: a parameter's value is taken out, whatever it looks like. */
  PERSONAL: 1,
  /** The same, also as a property's key: what nobody calls anything else by. */
  PERSONAL_KEY: 2,
  /** A secret or something harmless: the value decides. */
  MAYBE_SECRET: 4,
  /** What merely looks like a card's or phone's number: ids, order and product numbers, times. */
  NUMBERED: 8,
  /** Of a folder: a secret stands behind it. */
  BEFORE_SECRETS: 16,
  /** Of a folder: a secret may stand behind it, or a name. */
  MAYBE_BEFORE_SECRETS: 32,
  /** A thing that is sold, whatever it ends with. */
  PLAIN: 64,
} as const;

const BOTH = Name.PERSONAL | Name.PERSONAL_KEY;

const NUMBERS = ["", "number", "num", "no", "nr"];
const COUNTED =
  `order orders item items product products article articles invoice customer tracking serial part variant
  variants sku ean gtin upc isbn timestamp time date`
    .split(/\s+/)
    .flatMap((thing) => NUMBERS.map((number) => thing + number));

const NAMES = new WordTrie([
  {
    words: `tel telefon mobilenumber mobileno msisdn whatsapp fax pwd user auth authorization authcode bearer jwt
      otp sid jsessionid phpsessid oobcode dob birthday birthdate dateofbirth address street cvv cvc creditcard ccnumber
      cardno cardnum socialsecuritynumber taxid passport mceid hsenc sig hmac accesskey authkey resetkey samlrequest
      samlresponse`,
    bits: BOTH,
  },
  {
    words: `name fname lname login cell mobile pan pass pin session sessionid code key receipt credential credentials verifier
      codeverifier activationkey confirmationkey`,
    bits: Name.PERSONAL,
  },
  {
    words: `mail mailaddress phone phonenumber telephone firstname lastname surname familyname givenname fullname username
      password passwd passphrase token secret apikey privatekey sessionkey ssn iban cardnumber streetaddress`,
    bits: BOTH,
    asEnding: true,
  },
  { words: "signature nonce xamzcredential", bits: Name.PERSONAL, asEnding: true },
  { words: "iphone smartphone headphone earphone microphone gramophone", bits: Name.PLAIN },
  { words: "challenge magic invite state hash digest h", bits: Name.MAYBE_SECRET },
  { words: `id ids clid ${COUNTED.join(" ")}`, bits: Name.NUMBERED, asEnding: true },
  {
    words: "p t ts v version ref post posts status statuses video cb rnd rand cache",
    bits: Name.NUMBERED,
  },
  {
    words: `token tokens reset resetpassword passwordreset forgot forgotpassword setpassword newpassword changepassword
      recover recovery recoverpassword password verify verification verifyemail emailverification confirm confirmation
      confirmemail activate activation activateaccount magiclink magic invite invites invitation invitations unsubscribe
      optout unlock otp`,
    bits: Name.BEFORE_SECRETS,
  },
  {
    words: `auth oauth sso login signin session sessions callback join share shared download downloads subscribe
      subscription preferences orders checkout checkouts secret secrets`,
    bits: Name.MAYBE_BEFORE_SECRETS,
  },
]);

/** What the name from one place to another tells: bits of `Name`. */
export function findName(codes: Uint16Array, from: number, to: number): number {
  const bits = NAMES.find(codes, from, to);
  return (bits & Name.PLAIN) === 0 ? bits : 0;
}

/** Longest key of a property that is looked at, characters. */
const LONGEST_KEY = 128;
const room = new Uint16Array(LONGEST_KEY);

/** Whether a property's key tells that its value is personal data or a secret. */
export function isPersonalKey(key: string): boolean {
  // Names tell by their ends.
  const text = key.slice(-LONGEST_KEY);
  for (let at = 0; at < text.length; at++) room[at] = text.charCodeAt(at);
  return (findName(room, 0, text.length) & Name.PERSONAL_KEY) !== 0;
}
