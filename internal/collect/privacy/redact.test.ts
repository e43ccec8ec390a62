import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sharedData } from "../../../test/kit/shared-data.ts";
import { redact } from "./redact.ts";

const SHOP = "https://shop.example/";

test.each([
  ["?email=ann%40example.com&page=2", "?email=(redacted)&page=2"],
  ["?a=1&PHONE=0049-30-1", "?a=1&PHONE=(redacted)"],
  [
    "?name=Ann&first_name=Ann&lastName=Lee&user-name=ann",
    "?name=(redacted)&first_name=(redacted)&lastName=(redacted)&user-name=(redacted)",
  ],
  [
    "?access_token=abc&id_token=d&token=e&reset-token=f",
    "?access_token=(redacted)&id_token=(redacted)&token=(redacted)&reset-token=(redacted)",
  ],
  [
    "?password=x&pwd=y&billing%5Bemail%5D=z&user[password]=q",
    "?password=(redacted)&pwd=(redacted)&billing%5Bemail%5D=(redacted)&user[password]=(redacted)",
  ],
  ["?q=mail%20to%20ann@example.com+please", "?q=mail%20to%20(redacted)+please"],
  ["unsubscribe/ann.lee%40mail.example.co.uk/now", "unsubscribe/(redacted)/now"],
  ["cb#access_token=abc&state=1", "cb#access_token=(redacted)&state=1"],
  ["?x=1;email=a", "?x=1;email=(redacted)"],
  [
    "?code=a1b2&KEY=wc_order_x&sig=s&X-Amz-Signature=t&session=1&auth=2",
    "?code=(redacted)&KEY=(redacted)&sig=(redacted)&X-Amz-Signature=(redacted)&session=(redacted)&auth=(redacted)",
  ],
  [
    "?next=%252Fcb%253Fcode%253D4%252F0AbC%2526state%253Dx",
    "?next=%252Fcb%253Fcode%253D(redacted)%2526state%253Dx",
  ],
  ["?_wpnonce=3f2a&page=2", "?_wpnonce=(redacted)&page=2"],
])("%s is cleaned", (given, clean) => {
  expect(redact(SHOP + given)).toBe(SHOP + clean);
});

// The first three are https://github.com/Automattic/wp-calypso/issues/16318.
test.each([
  [
    "login?redirect_to=%2Fpost%3Femail%3Djane%40example.org",
    "login?redirect_to=%2Fpost%3Femail%3D(redacted)",
  ],
  [
    "login?redirect_to=%2Fa%3Fnext%3D%252Fb%253Femail%253Djane%2540example.org&x=1",
    "login?redirect_to=%2Fa%3Fnext%3D%252Fb%253Femail%253D(redacted)&x=1",
  ],
  ["login?u=jane%252540example.org", "login?u=(redacted)"],
  ["?u=jane%2525252525252540example%252eorg&v=2", "?u=(redacted)&v=2"],
  ["?q=jane&#64;example.org", "?q=(redacted)"],
  ["?a=1&amp;email=jane&amp;b=2", "?a=1&amp;email=(redacted)&amp;b=2"],
  ["?q=jane&#x40;example&period;org!", "?q=(redacted)!"],
  ["?q=jane%26%2364%3Bexample.org", "?q=(redacted)"],
  ["?q=jane+news@example.org", "?q=(redacted)"],
  ["users/jane%2Bnews%40example.org/edit", "users/(redacted)/edit"],
  ["#/account/jane@example.org", "#/account/(redacted)"],
  ["?to=mailto:jane@example.org", "?to=mailto:(redacted)"],
  ["?q=jané@bücher.example", "?q=(redacted)"],
  ["?q=jan%C3%A9%40b%C3%BCcher.example", "?q=(redacted)"],
  ["?q=jane@xn--bcher-kva.xn--p1ai", "?q=(redacted)"],
  ["?q=li@163.com&r=1", "?q=(redacted)&r=1"],
  ["users/jane@example.org.json", "users/(redacted).json"],
  ["?u=a=b@example.org", "?u=(redacted)"],
  ["?list=jane@example.org,joe@example.net", "?list=(redacted),(redacted)"],
  ["?json=%7B%22to%22%3A%22jane%40example.org%22%7D", "?json=%7B%22to%22%3A%22(redacted)%22%7D"],
  ["?next=https%3A%2F%2Fann%3Asecret%40shop.example%2Fx", "?next=https%3A%2F%2Fshop.example%2Fx"],
  ["?email=a%26b%23c&d=1", "?email=(redacted)&d=1"],
  ["?next=%2Fp%3Fname%3Dann%26size%3D2&d=1", "?next=%2Fp%3Fname%3D(redacted)%26size%3D2&d=1"],
  ["?data=email%3Djanedoe%26x%3D1", "?data=email%3D(redacted)%26x%3D1"],
  [";jsessionid=A1B2?page=2", ";jsessionid=(redacted)?page=2"],
])("%s is cleaned, however deep", (given, clean) => {
  expect(redact(SHOP + given)).toBe(SHOP + clean);
});

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
const HEX = "9f86d081884c7d659a2feaa0c55ad015";

test.each([
  [`?t=${JWT}&x=1`, "?t=(redacted)&x=1"],
  [`auth/${JWT}/go`, "auth/(redacted)/go"],
  [`#state=1&access_token=${JWT}`, "#state=1&access_token=(redacted)"],
  [`?next=%2Fa%3Ft%3D${JWT}`, "?next=%2Fa%3Ft%3D(redacted)"],
  [`?code=${HEX}`, "?code=(redacted)"],
  ["?sig=Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA%3D%3D&a=b", "?sig=(redacted)&a=b"],
  ["?key=0b9c8d7e-6f5a-4b3c-8d2e-1f0a9b8c7d6e", "?key=(redacted)"],
  ["?h=Bearer%20abc123def456", "?h=Bearer%20(redacted)"],
  [`reset-password/${HEX}`, "reset-password/(redacted)"],
  ["accounts/reset/MQ/c0ab12-2f3d4e5f6a7b8c9d0e1f/", "accounts/reset/MQ/(redacted)/"],
  ["password/reset/Xk29dkPqLs82jdkRt5?x=1", "password/reset/(redacted)?x=1"],
  ["unsubscribe/a8f3b2c9", "unsubscribe/(redacted)"],
  ["invite/Zk3x9QpL/accept", "invite/(redacted)/accept"],
  ["verify-email/MTIz.Zk3x9QpLw8Rt5Yv2Bn7Mj4Hg6Fd1Sa0Qw", "verify-email/(redacted)"],
  ["12345/orders/9f86d081884c7d659a2feaa0c55ad015/authenticate", "12345/orders/(redacted)/authenticate"],
  ["checkouts/cn/Z2NwLXVzLWNlbnRyYWwxOjAxSkhH0Q8", "checkouts/cn/(redacted)"],
  ["?state=xyzABC0123456789defGHI4567", "?state=(redacted)"],
])("the token in %s is taken out", (given, clean) => {
  expect(redact(SHOP + given)).toBe(SHOP + clean);
});

const base64 = (text: string) => Buffer.from(text).toString("base64");

test.each([
  [`?e=${base64("jane@example.org")}&x=1`, "?e=(redacted)&x=1"],
  [`?e=${encodeURIComponent(base64("jane@example.org"))}&x=1`, "?e=(redacted)&x=1"],
  [`u/${Buffer.from("id=7&email=jane").toString("base64url")}/x`, "u/(redacted)/x"],
  [`?d=${base64('{"to":"jane@example.org"}')}--5f4d3c`, "?d=(redacted)--5f4d3c"],
  [`?next=%2Fa%3Fu%3D${base64("https://a.example/?u=jane%40example.org")}`, "?next=%2Fa%3Fu%3D(redacted)"],
])("the base64 in %s goes as a whole", (given, clean) => {
  expect(redact(SHOP + given)).toBe(SHOP + clean);
});

// Card numbers that payment providers publish for tests; phone numbers of ITU-T E.123's form.
test.each([
  ["?phone=+4930123456", "?phone=(redacted)"],
  ["?tel%3D0301234567&x=1", "?tel%3D(redacted)&x=1"],
  ["?x=tel%3D0301234567&y=1", "?x=tel%3D(redacted)&y=1"],
  ["?q=%2B49%2030%20123456", "?q=(redacted)"],
  ["?q=%252B1%2520(202)%2520555-0143&x=1", "?q=(redacted)&x=1"],
  ["?q=+44+20+7946+0958", "?q=(redacted)"],
  ["call?to=tel:030-123456", "call?to=tel:(redacted)"],
  ["?q=4111111111111111", "?q=(redacted)"],
  ["?payment=4111111111111111&number=5555555555554444", "?payment=(redacted)&number=(redacted)"],
  ["?q=4111%201111%201111%201111&x=1", "?q=(redacted)&x=1"],
  ["?q=card+5555+5555+5555+4444+exp", "?q=card+(redacted)+exp"],
  ["?q=3782-822463-10005", "?q=(redacted)"],
  ["?next=%2Fpay%3Fc%3D6011%25201111%25201111%25201117", "?next=%2Fpay%3Fc%3D(redacted)"],
  ["pay/2223003122003222", "pay/(redacted)"],
  ["?q=3056 930902 5904", "?q=(redacted)"],
])("the number in %s is taken out", (given, clean) => {
  expect(redact(SHOP + given)).toBe(SHOP + clean);
});

test("a referrer that is free text is cleaned too", () => {
  expect(redact("written by jane@example.org, +49 30 123456")).toBe("written by (redacted), (redacted)");
  expect(redact("call +4930123456. Or not")).toBe("call (redacted). Or not");
  expect(redact("jane%40example.org")).toBe("(redacted)");
});

test("user and password before the host are left out", () => {
  expect(redact("https://ann:secret@shop.example/?a=1")).toBe("https://shop.example/?a=1");
  expect(redact("android-app://x@com.example.app/")).toBe("android-app://com.example.app/");
});

test.each([
  SHOP,
  `${SHOP}?utm_source=news&utm_medium=email&utm_campaign=spring&gclid=Cj0K&coupon_code=SPRING10&id=7`,
  `${SHOP}@ann/photos?email=&name=#top`,
  `${SHOP}maps/@52.5,13.4,15z?size=2@3`,
  `${SHOP}?product_name_id=3&filename=x&keyword=y&monkey=z&%E0%A4%A=1`,
  "free text, not an address",
  `${SHOP}img/logo@2x.png`,
  `${SHOP}img/logo%402x.png?v=3`,
  `${SHOP}img/icon@3x.red.png`,
  `${SHOP}img/intro@2x.mov`,
  `${SHOP}vue@3.js`,
  `${SHOP}npm/vue@3.2.1/dist/vue.global.prod.js`,
  `${SHOP}npm/@scope/pkg@1.0/x.js`,
  `${SHOP}react@18.2.0-rc.1/umd`,
  `${SHOP}pkg@1.0.0-alpha.beta.tgz`,
  `${SHOP}jquery@3.min.js`,
  `${SHOP}@ann.lee/photos`,
  `${SHOP}?order=4111111111111111&product_id=5555555555554444&ORDER-NO=4111111111111111&ts=1700000000000`,
  `${SHOP}products/4111111111111111`,
  `${SHOP}?variant=39274913169496&ean=4006381333931&q=4006381333931`,
  `${SHOP}order/113-1234567-1234567?q=302-1234567-1234567`,
  `${SHOP}?q=4111111111111112&x=1234567890123456`,
  `${SHOP}?_ga=GA1.1.4111111111111111.1700000000&fbp=fb.1.1596403881668.1116446470`,
  `${SHOP}?lat=%2B52.520008&lng=+13.404954 +52.520008 x`,
  `${SHOP}?at=2026-11-29T10:00:00+02:00&tz=GMT+0100`,
  `${SHOP}?q=a+12345678&n=1+23456789012`,
  `${SHOP}?date=+20261129&orderId=+491234567890`,
  `${SHOP}?promo-code=SUMMER2024DISCOUNT50&state=xyz&country_code=de&iphone=15&keyword=code`,
  `${SHOP}reset/all?keys=value&design=short`,
  `${SHOP}products/iphone-15-pro-max-256gb-blue-B0CHX1W1XY`,
  `${SHOP}share/iphone-15-pro-max-256gb-blue`,
  `${SHOP}verify/step2/spring2024`,
  `${SHOP}download/app-12.4.1-x86_64.tar.gz`,
  `${SHOP}orders/1001/items/4006381333931`,
  `${SHOP}p/9f86d081884c7d659a2feaa0c55ad015/0b9c8d7e-6f5a-4b3c-8d2e-1f0a9b8c7d6e`,
  `${SHOP}img/${Buffer.from("a picture, not a person").toString("base64url")}.png?v=SGVsbG8gd29ybGQ`,
  `${SHOP}hotel:5/motel:12345678`,
  `${SHOP}?q=100%25+cotton&p=50%&r=%zz&s=&copy;&t=%E0%A4%A`,
  `${SHOP}eyJ.not.a-token?q=bearer+securities`,
])("%s stays as it is", (text) => {
  expect(redact(text)).toBe(text);
});

/** Longest text that a character is replaced by: "&pin=1" becomes "&pin=(redacted)". */
const GROWTH = 3;

test("cleaning twice is cleaning once, the address stays one, and hardly grows", () => {
  const part = fc.oneof(
    fc.constantFrom(
      ..."email pin code a@b.example a%40b.example = & ? # / @ token % x reset/ a1b2c3d4 (redacted) %3D %252F".split(
        " ",
      ),
      ...`tel: +49301234567 4111111111111111 ://u:p@ bearer&nbsp;abc123def eyJhbGciOiJIUz.e.s ${base64("a@b.example")}`.split(
        " ",
      ),
    ),
    fc.string({ maxLength: 5 }),
  );
  const texts = fc.array(part, { maxLength: 12 }).map((parts) => SHOP + parts.join(""));
  fc.assert(
    fc.property(texts, (text) => {
      const once = redact(text);
      expect(redact(once)).toBe(once);
      expect(once.length).toBeLessThanOrEqual(GROWTH * text.length);
      if (URL.canParse(text)) expect(URL.canParse(once)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

/** A text as it is when it was put into an address some times, as pages, mails and templates do it. */
const LAYERS: readonly ((text: string) => string)[] = [
  encodeURIComponent,
  (text) => `/post?page=2&note=${encodeURIComponent(text)}&size=3`,
  (text) => encodeURIComponent(`https://other.example/a?redirect_to=${encodeURIComponent(text)}#top`),
  (text) => text.replace(/[^a-z0-9]/gi, (char) => `&#${char.charCodeAt(0)};`),
  (text) => text.replace(/[^\x20-\x7e]|[@.%]/gu, (char) => [...Buffer.from(char)].map(hexEscape).join("")),
];

function hexEscape(byte: number): string {
  return `%${byte.toString(16).padStart(2, "0")}`;
}

const layers = fc.array(fc.constantFrom(...LAYERS), { maxLength: 6 });
const put = (text: string, through: typeof LAYERS) => through.reduce((inner, layer) => layer(inner), text);

test("no mail address survives, whatever it was wrapped in", () => {
  const local = fc.stringMatching(/^qz[a-z0-9é][a-z0-9.+_é-]{0,12}qz$/);
  const host = fc.stringMatching(/^([a-z][a-z0-9-]{0,8}[a-z]\.){1,3}(org|com|example|de)$/);
  const where = fc.constantFrom("?u=", "?email=", "users/", "#", "?a=1&to=mailto:", "?q=ask ", "?list=x,");
  fc.assert(
    fc.property(local, host, layers, where, (name, domain, through, before) => {
      const clean = redact(`${SHOP}${before}${put(`${name}@${domain}`, through)}`);
      expect(clean).not.toMatch(/qz/);
      expect(clean).toContain(SHOP);
    }),
    { numRuns: 1_000 },
  );
});

test("what holds nothing personal stays as it is, whatever it was wrapped in", () => {
  const word = fc
    .stringMatching(/^[a-z]{3,8}$/)
    .filter((text) => !/name|user|auth|pass|login|street/.test(text));
  const piece = fc.oneof(word, fc.nat(99_999).map(String), fc.constantFrom("a-b", "c.d", "x@2", "50%", "é"));
  const query = fc.array(fc.tuple(fc.constantFrom("page", "q", "size", "sort", "color"), piece), {
    maxLength: 4,
  });
  const address = fc
    .tuple(fc.array(piece, { maxLength: 3 }), query)
    .map(([path, parameters]) => `/shop/${path.join("/")}?${new URLSearchParams(parameters)}`);
  fc.assert(
    fc.property(address, layers, (text, through) => {
      const given = `${SHOP}?to=${put(text, through)}`;
      expect(redact(given)).toBe(given);
    }),
    { numRuns: 1_000 },
  );
});

const LOG = sharedData("access.log");

test.skipIf(LOG === undefined)(
  "of the real log's addresses those with a session id or state are touched",
  () => {
    const lines = readFileSync(LOG!, "utf8").split("\n");
    const texts = lines.flatMap((line) => [
      /"[A-Z]+ (\S+) HTTP/.exec(line)?.[1],
      /" \d+ \S+ "([^"]*)"/.exec(line)?.[1],
    ]);
    const touched = new Set(texts.filter((text) => text !== undefined && redact(text) !== text));
    // grep -oE '[^" ]*[?&](sid|state)=[^" ]{20,}' access.log | sort -u | wc -l
    expect(touched.size).toBe(6);
    for (const text of touched) expect(text).toMatch(/[?&](sid|state)=[^&]{20}/);
  },
);
