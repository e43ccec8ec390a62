import fc from "fast-check";
import { expect, test } from "vitest";
import { leastCpuMs } from "../../../test/kit/cpu-time.ts";
import { addressOf, hostOf } from "./address.ts";

/** By the URL standard's host parsing (url.spec.whatwg.org), less the last dot. */
test.each([
  ["https://bücher.example/", "xn--bcher-kva.example"],
  ["https://BÜCHER.example./", "xn--bcher-kva.example"],
  ["https://xn--bcher-kva.example:8443/x", "xn--bcher-kva.example"],
  ["https://b%C3%BCcher.example/", "xn--bcher-kva.example"],
  ["http://[2001:db8::1]:8080/", "[2001:db8::1]"],
  ["http://[2001:0DB8:0:0:0:0:0:1]/", "[2001:db8::1]"],
  ["http://0x7f.1/", "127.0.0.1"],
  ["http://LOCALHOST:3000/", "localhost"],
  ["http://user:p@ss@Shop.Example.:80?x", "shop.example"],
  ["https://shop.example\\@other.example/", "shop.example"],
  ["https://my_shop.example/", "my_shop.example"],
  ["http://user@:80/", undefined],
  ["http://[2001:db8::zz]/", undefined],
  ["http://[2001:db8::1/", undefined],
  ["http://a b/", undefined],
  ["http://../", undefined],
  ["https://", undefined],
])("%s is of %s", (url, host) => {
  expect(addressOf(url)?.host).toBe(host);
});

test("www. and the cache that a page was read from are left out where sites are told apart", () => {
  expect(hostOf("https://WWW.Shop.example/")).toBe("shop.example");
  expect(hostOf("https://www.com/")).toBe("com");
  expect(hostOf("https://my--shop-example.cdn.ampproject.org/c/s/my-shop.example/p")).toBe("my-shop.example");
  expect(hostOf("https://www-shop-example.translate.goog/p?_x_tr_sl=auto")).toBe("shop.example");
  expect(hostOf("android-app://com.google.android.gm/")).toBe("android-app:com.google.android.gm");
  expect(hostOf("chrome-extension://abcdef/")).toBeUndefined();
  expect(hostOf("shop.example")).toBeUndefined();
});

test("hosts are those that the platform's own parser finds", () => {
  const check = (url: string) => {
    const expected = URL.parse(url)?.hostname.replace(/\.$/, "");
    const found = addressOf(url)?.host;
    if (expected) expect([url, found]).toEqual([url, expected]);
  };
  fc.assert(fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), check));
  const host = fc.oneof(
    fc.domain(),
    fc.ipV6().map((ip) => `[${ip}]`),
    fc.ipV4Extended(),
    fc.string({ unit: "binary" }),
  );
  const plain = host.filter((text) => !/[\t\n\r\\]/.test(text));
  fc.assert(
    fc.property(plain, fc.constantFrom("", ":80", ".", ".:8080"), (text, end) =>
      check(`http://${text}${end}/`),
    ),
  );
});

test("any text is parsed, and quickly", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void hostOf(`https://${text}`)));
  for (const piece of ["a.", "@", "[", "ü", "%41", "a", "1.", ":"]) {
    expect(leastCpuMs(() => hostOf(`https://${piece.repeat(100_000)}/`))).toBeLessThan(20);
  }
});
