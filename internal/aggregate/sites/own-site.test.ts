import { expect, test } from "vitest";
import { isIgnored } from "./ignored-referrers.ts";
import { isOneSite, isOwnSite } from "./own-site.ts";

/** By the public suffix list, its private section included. */
test.each([
  ["shop.example", "shop.example", true],
  ["a.shop.example", "b.shop.example", true],
  ["a.shop.co.uk", "b.shop.co.uk", true],
  ["shop.co.uk", "other.co.uk", false],
  ["shop.example", "myshop.example", false],
  ["me.github.io", "you.github.io", false],
  ["me.github.io", "github.io", false],
  ["checkout.a.myshopify.com", "a.myshopify.com", true],
  ["a.myshopify.com", "b.myshopify.com", false],
  ["a.blogspot.com", "b.blogspot.com", false],
  ["a.wordpress.com", "b.wordpress.com", false],
  ["a.wordpress.com", "www.a.wordpress.com", true],
  ["a.wordpress.com", "wordpress.com", false],
  ["10.0.0.1", "10.0.0.1", true],
  ["10.0.0.1", "11.0.0.1", false],
  ["localhost", "localhost", true],
  ["[2001:db8::1]", "[2001:db8::2]", false],
  ["android-app:com.a.b", "android-app:com.a.c", false],
])("%s and %s: one site %s", (a, b, expected) => {
  expect(isOneSite(a, b)).toBe(expected);
  expect(isOneSite(b, a)).toBe(expected);
});

test("a merchant's own domains and ignored referrers stand for all hosts below them", () => {
  const sites = { ownDomains: new Set(["shop-pay.example"]), ignoredReferrers: new Set(["bank.example"]) };
  expect(isOwnSite("shop.example", "eu.shop-pay.example", sites)).toBe(true);
  expect(isOwnSite(undefined, "shop-pay.example", sites)).toBe(true);
  expect(isOwnSite("shop.example", "my-shop-pay.example", sites)).toBe(false);
  expect(isOwnSite("shop.example", "shop-pay.example", undefined)).toBe(false);
  expect(isIgnored("login.bank.example", sites)).toBe(true);
  expect(isIgnored("bank.example", undefined)).toBe(false);
});

/** Hosts to which the providers' documentation sends a payer. */
test.each([
  ..."paypal.com checkout.stripe.com hooks.stripe.com pay.klarna.com live.adyen.com mollie.com".split(" "),
  ..."ideal.ing.nl betalen.rabobank.nl afterpay.com affirm.com payments.amazon.de mapi.alipay.com".split(" "),
  ..."secure.payu.com api.razorpay.com secure.worldpay.com checkout.square.com braintreegateway.com".split(
    " ",
  ),
  ..."sofort.com giropay.de bancontact.com secure.przelewy24.pl mercadopago.com.br sis.redsys.es".split(" "),
  ..."3dsecure.bank.example acs.bank.example acs2.bank.co.uk secure5.arcot.com centinel.cardinalcommerce.com".split(
    " ",
  ),
])("%s is ignored", (host) => {
  expect(isIgnored(host, undefined)).toBe(true);
});

test.each([
  "google.com",
  "acs.org",
  "acs.org.uk",
  "paypal.example",
  "amazon.de",
  "shopify.com",
  "notstripe.com",
])("%s is not ignored", (host) => {
  expect(isIgnored(host, undefined)).toBe(false);
});
