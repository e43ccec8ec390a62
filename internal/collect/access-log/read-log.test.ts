import { appendFile, copyFile, mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Line, LineSplitter, MAX_LINE_BYTES } from "./line-splitter.ts";
import { type ReadOptions, readLog } from "./read-log.ts";

let folder: string;
let log: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "footfall-log-"));
  log = join(folder, "access.log");
});
afterEach(() => rm(folder, { recursive: true }));

async function readAll(options: ReadOptions = {}, path = log): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const chunk of readLog(path, options)) lines.push(...chunk);
  return lines;
}

const texts = (lines: Line[]) => lines.map(({ text }) => text);

describe("once", () => {
  test("lines have their numbers and places, and the last one needs no line end", async () => {
    await writeFile(log, "one\r\nzwölf\n\nlast");
    expect((await readAll()).map(({ file, ...line }) => line)).toEqual([
      { number: 1, offset: 0, end: 5, text: "one", cut: false },
      { number: 2, offset: 5, end: 12, text: "zwölf", cut: false },
      { number: 3, offset: 12, end: 13, text: "", cut: false },
      { number: 4, offset: 13, end: 17, text: "last", cut: false },
    ]);
  });

  test("an empty file has no lines, and an absent one is an error", async () => {
    await writeFile(log, "");
    expect(await readAll()).toEqual([]);
    await expect(readAll({}, join(folder, "absent.log"))).rejects.toThrow("absent.log");
  });

  test("a line that is too long is cut, and the ones after it are whole", async () => {
    await writeFile(log, `first\n${"x".repeat(1_000_000)}\n${"y".repeat(MAX_LINE_BYTES)}\nlast\n`);
    const lines = await readAll();
    expect(lines.map(({ text, cut }) => [text.length, cut])).toEqual([
      [5, false],
      [MAX_LINE_BYTES, true],
      [MAX_LINE_BYTES, false],
      [4, false],
    ]);
    expect(lines[3]!.offset).toBe(6 + 1_000_001 + MAX_LINE_BYTES + 1);
  });

  test("a gzip file is read as what it holds, and is the same log", async () => {
    const content = `#Version: 1.0\n${"one\n".repeat(40_000)}last`;
    await writeFile(log, content);
    const plain = await readAll();
    // Parts that were compressed one after another make one file (RFC 1952).
    await writeFile(log, Buffer.concat([gzipSync(content.slice(0, 99)), gzipSync(content.slice(99))]));
    const packed = await readAll();
    expect(packed.length).toBe(40_002);
    expect(packed).toEqual(plain);
    await writeFile(log, gzipSync(""));
    expect(await readAll()).toEqual([]);
    await writeFile(log, gzipSync("one\ntwo").subarray(0, 20));
    await expect(readAll()).rejects.toThrow();
  });

  test("reading goes on after a line, unless the log is another one", async () => {
    await writeFile(log, "one\ntwo\nthree\n");
    const [first] = await readAll();
    const rest = await readAll({ from: first! });
    expect(rest.map(({ number, offset, text }) => [number, offset, text])).toEqual([
      [2, 4, "two"],
      [3, 8, "three"],
    ]);
    await writeFile(log, "uno\ndos\n");
    expect(texts(await readAll({ from: first! }))).toEqual(["uno", "dos"]);
  });
});

test("a log is the same under another path and after growth, and another one by its first line", async () => {
  const identity = async (path = log) => (await readAll({}, path))[0]!.file;
  await writeFile(log, "one\ntwo\n");
  const before = await identity();
  await appendFile(log, "three\n");
  const copy = join(folder, "copy.log");
  await copyFile(log, copy);
  expect(await identity()).toBe(before);
  expect(await identity(copy)).toBe(before);
  await writeFile(copy, "other\ntwo\n");
  expect(await identity(copy)).not.toBe(before);
});

test("logs that begin with the same directives are told apart by their first lines", async () => {
  const identity = async () => (await readAll())[0]!.file;
  await writeFile(log, "#Version: 1.0\n#Fields: date time\none\n");
  const before = await identity();
  await appendFile(log, "two\n");
  expect(await identity()).toBe(before);
  await writeFile(log, "#Version: 1.0\n#Fields: date time\nother\n");
  expect(await identity()).not.toBe(before);
});

test("however a file is cut into chunks, its lines are the same", () => {
  const pieces = fc.array(fc.constantFrom("a", "é", "\n", "\r\n", "bc", "€"), { maxLength: 40 });
  fc.assert(
    fc.property(pieces, fc.array(fc.nat(60)), (content, cuts) => {
      const bytes = Buffer.from(content.join(""));
      const split = (places: number[]) => {
        const splitter = new LineSplitter("f", 0, 1);
        const bounds = [0, ...places.filter((at) => at < bytes.length).sort((a, b) => a - b), bytes.length];
        const lines = bounds.flatMap((at, index) => splitter.push(bytes.subarray(at, bounds[index + 1])));
        return [...lines, ...splitter.flush()];
      };
      const lines = split(cuts);
      expect(lines).toEqual(split([]));
      expect(lines.at(-1)?.end ?? 0).toBe(bytes.length);
      for (const { offset, text } of lines) {
        expect(bytes.toString("utf8", offset).startsWith(text)).toBe(true);
      }
    }),
  );
});

describe("following", () => {
  /** Reads in the background; `until` waits until so many lines were read. */
  function follow(options: ReadOptions = {}) {
    const stop = new AbortController();
    const lines: Line[] = [];
    const done = (async () => {
      const followed = { follow: true, pollMs: 5, quietMs: 60, signal: stop.signal, ...options };
      for await (const chunk of readLog(log, followed)) lines.push(...chunk);
    })();
    const until = (count: number) => expect.poll(() => lines.length, { timeout: 5_000 }).toBe(count);
    const end = async () => {
      stop.abort();
      await done;
    };
    return { lines, until, end };
  }
  const settle = () => new Promise((resolve) => setTimeout(resolve, 40));

  test("growth is read, and an unfinished line is held until it is finished", async () => {
    const reader = follow();
    await settle();
    await writeFile(log, "one\nt");
    await reader.until(1);
    await appendFile(log, "w");
    await settle();
    expect(reader.lines.length).toBe(1);
    await appendFile(log, "o\nthree\nunfinished");
    await reader.until(3);
    await reader.end();
    expect(texts(reader.lines)).toEqual(["one", "two", "three"]);
  });

  test("a first line that is unfinished is waited for", async () => {
    await writeFile(log, "o");
    const reader = follow();
    await settle();
    await appendFile(log, "ne\n");
    await reader.until(1);
    await reader.end();
    expect(texts(reader.lines)).toEqual(["one"]);
    expect(reader.lines[0]!.file).toBe((await readAll())[0]!.file);
  });

  test("a renamed log is read to its end, late lines too, and then the new one from its beginning", async () => {
    await writeFile(log, "one\n");
    const reader = follow();
    await reader.until(1);
    await rename(log, join(folder, "access.log.1"));
    await writeFile(log, "new one\n");
    await appendFile(join(folder, "access.log.1"), "two\n");
    await reader.until(2);
    await appendFile(join(folder, "access.log.1"), "three\nlast");
    await reader.until(5);
    await appendFile(log, "new two\n");
    await reader.until(6);
    await reader.end();
    expect(texts(reader.lines)).toEqual(["one", "two", "three", "last", "new one", "new two"]);
    expect(reader.lines[4]).toMatchObject({ number: 1, offset: 0 });
    expect(reader.lines[4]!.file).not.toBe(reader.lines[0]!.file);
  });

  test.each(["short\n", "a first line that is longer than all of the log before it was\n"])(
    "a log that was truncated and goes on with %j is read from its beginning",
    async (next) => {
      await writeFile(log, "one\ntwo\n");
      const reader = follow();
      await reader.until(2);
      await copyFile(log, join(folder, "copy"));
      await truncate(log);
      await appendFile(log, next);
      await reader.until(3);
      await reader.end();
      expect(reader.lines[2]).toMatchObject({ text: next.trimEnd(), number: 1, offset: 0 });
    },
  );

  test("a log that is away for a moment is not taken for a new one", async () => {
    await writeFile(log, "one\n");
    const reader = follow();
    await reader.until(1);
    await rename(log, join(folder, "moved"));
    await settle();
    await rename(join(folder, "moved"), log);
    await appendFile(log, "two\n");
    await reader.until(2);
    await reader.end();
    expect(reader.lines[1]).toMatchObject({ text: "two", number: 2, offset: 4 });
  });
});
