import { describe, expect, test } from "vitest";
import { testBatch } from "../../../test/kit/batches.ts";
import { testContext } from "../../../test/kit/step-context.ts";
import { BatchView } from "../../event/batch-view.ts";
import { open } from "../../event/seal.ts";
import { process } from "./process.ts";

type Found = readonly [page: string | null, host: string | null];

/** Page and host of each url, of one batch. */
function derive(urls: readonly string[]): Found[] {
  const events = urls.map((url) => ({ merchantId: 1, time: 1, url }));
  const { sealed, batch } = open(testBatch(events, { partition: 0 }).bytes);
  const { page } = process(new BatchView(sealed!.batchId, batch!), testContext());
  return urls.map((_, row) => {
    const [path = null, host = null] = page.texts[page.keys?.[row] ?? 0] ?? [];
    return [path, host];
  });
}

describe("page and host of a url", () => {
  test.each<[url: string, ...Found]>([
    ["https://shop.example/a/b.html?utm_source=x#top", "/a/b.html", "shop.example"],
    ["https://shop.example", "/", "shop.example"],
    ["https://shop.example?q=/no/path", "/", "shop.example"],
    ["https://shop.example#/app/route", "/", "shop.example"],
    ["https://shop.example/#?/a", "/", "shop.example"],
    ["https://shop.example//a//b/", "//a//b/", "shop.example"],
    ["HTTPS://WWW.Shop.Example:8443/A%20b/Ä?x", "/A%20b/Ä", "www.shop.example"],
    ["http://user:pw@shop.example:80/b", "/b", "shop.example"],
    ["http://user@:80/b", "/b", null],
    ["http://a@b@shop.example/", "/", "shop.example"],
    ["https://BÜCHER.example./", "/", "xn--bcher-kva.example"],
    ["https://bücher.example/", "/", "xn--bcher-kva.example"],
    ["https://xn--bcher-kva.example/", "/", "xn--bcher-kva.example"],
    ["http://[2001:DB8::1]:8080/", "/", "[2001:db8::1]"],
    ["android-app://com.example/https/shop", "/https/shop", "com.example"],
    ["file:///home/me/index.html", "/home/me/index.html", null],
    ["https://", "/", null],
    ["://shop.example/a", null, null],
    ["//shop.example/a", null, null],
    ["/a", null, null],
    ["mailto:me@shop.example", null, null],
    ["no address", null, null],
    ["", null, null],
  ])("%s", (url, page, host) => {
    expect(derive([url])).toEqual([[page, host]]);
  });
});
