import { describe, expect, test } from "vitest";
import { detectCopyFromStdin } from "./copy.ts";
import { Gate } from "./gate.ts";
import { int32, Msg, message } from "./messages.ts";
import { readStartup } from "./startup.ts";
import { Statements } from "./statements.ts";

describe("detectCopyFromStdin", () => {
  test.each([
    ["COPY t FROM STDIN", false],
    ["copy public.t (a, b)\n from stdin with (format csv, header)", false],
    ["/* c */ -- d\n COPY t FROM STDIN (FORMAT binary)", true],
    ["copy t from stdin with binary", true],
    ["COPY BINARY t FROM STDIN;", true],
  ])("%s", (sql, binary) => expect(detectCopyFromStdin(sql)).toEqual({ binary }));

  test.each([
    "COPY t TO STDOUT",
    "COPY t FROM '/dev/null'",
    "SELECT 'copy t from stdin'",
    "COPY (SELECT ' from stdin ') TO STDOUT",
  ])("not %s", (sql) => expect(detectCopyFromStdin(sql)).toBeNull());
});

describe("readStartup", () => {
  const packet = (...words: string[]) =>
    Buffer.concat([int32(3 << 16), Buffer.from(`${words.join("\0")}\0\0`)]);

  test("settings come from parameters and from options", () => {
    const options = String.raw`-c statement_timeout=5s -csearch_path=a\ b --work-mem=8MB`;
    const startup = readStartup(packet("user", "x", "database", "y", "TimeZone", "UTC", "options", options));
    expect(startup).toMatchObject({ kind: "startup", minor: 0, unknownOptions: [] });
    if (startup.kind !== "startup") throw new Error(startup.kind);
    expect(Object.fromEntries(startup.settings)).toEqual({
      TimeZone: "UTC",
      statement_timeout: "5s",
      search_path: "a b",
      work_mem: "8MB",
    });
  });

  test("another protocol is refused", () => {
    expect(() => readStartup(int32(2 << 16))).toThrow("unsupported frontend protocol 2.0");
  });
});

describe("Statements", () => {
  const parse = (name: string) => {
    const bytes = message(Msg.Parse, `${name}\0SELECT 1\0`, Buffer.from([0, 0]));
    return { type: Msg.Parse, bytes };
  };

  test("equal names of two connections differ, long names too", () => {
    const [one, two] = [new Statements("c1_"), new Statements("c2_")];
    expect(one.rename(parse("S_1")).bytes).not.toEqual(two.rename(parse("S_1")).bytes);
    const long = "x".repeat(80);
    one.rename(parse(`${long}a`));
    one.rename(parse(`${long}b`));
    expect(one.internalNames()).toEqual(["c1_1", "c1_2", "c1_3"]);
  });

  test("the name is replaced in Bind after the portal, and the rest is kept", () => {
    const statements = new Statements("c1_");
    const rest = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 0x35, 0, 0]);
    const bind = { type: Msg.Bind, bytes: message(Msg.Bind, "portal\0S_1\0", rest) };
    expect(statements.rename(bind).bytes).toEqual(message(Msg.Bind, "portal\0c1_1\0", rest));
  });

  test("the unnamed statement keeps its empty name and is remembered", () => {
    const statements = new Statements("c1_");
    expect(statements.rename(parse(""))).toEqual(parse(""));
    expect(statements.unnamedParse).toEqual(parse("").bytes);
  });
});

describe("Gate", () => {
  test("owners follow one another in the order they asked", async () => {
    const gate = new Gate();
    const order: string[] = [];
    const visit = async (name: string) => {
      const who = { name };
      await gate.acquire(who);
      order.push(`+${name}`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`-${name}`);
      gate.release(who);
    };
    await Promise.all(["a", "b", "c"].map(visit));
    expect(order).toEqual(["+a", "-a", "+b", "-b", "+c", "-c"]);
    expect(gate.free).toBe(true);
  });

  test("only the owner may release", () => {
    expect(() => new Gate().release({})).toThrow("did not own it");
  });
});
