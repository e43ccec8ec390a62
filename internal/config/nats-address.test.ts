import fc from "fast-check";
import { expect, test } from "vitest";
import { parseNatsAddress } from "./nats-address.ts";

test.each([
  ["nats://h", ["h:4222"], undefined, false],
  ["nats://h:1,nats://i:2", ["h:1", "i:2"], undefined, false],
  ["nats://u:p@h:1, nats://i:2/", ["h:1", "i:2"], { user: "u", password: "p" }, false],
  ["nats://u:p@h,tls://u:p@[::1]:5", ["h:4222", "[::1]:5"], { user: "u", password: "p" }, true],
  ["nats://a%40b:p%3A%2F%25@h", ["h:4222"], { user: "a@b", password: "p:/%" }, false],
  ["tls://token@h", ["h:4222"], { user: "token", password: undefined }, true],
])("%s", (text, servers, login, tls) => {
  expect(parseNatsAddress(text)).toEqual({ servers, login, tls });
});

test.each([
  "",
  "h:4222",
  "http://h",
  "nats://",
  "nats://u:hunter2@",
  "nats://u:hunter2@h/x",
  "nats://u:hunter2@h?x",
  "nats://u:hunter2#@h",
  "nats://u:hunter2@h,",
  "nats://u:hunter2@h,nats://v:hunter2@i",
  "nats://u:hunter2%zz@h",
])("%s is refused, and not repeated", (text) => {
  const parse = () => parseNatsAddress(text);
  expect(parse).toThrow(/^(is not an address such as|names several users|has a % in its user)/);
  expect(parse).not.toThrow(/hunter2/);
});

test("any user and password comes out as it was encoded", () => {
  const some = fc.string({ unit: "binary", minLength: 1 }).filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(some, some, (user, password) => {
      const text = `nats://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h`;
      expect(parseNatsAddress(text).login).toEqual({ user, password });
    }),
  );
});
