import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameReader, FramingError } from "./framing.ts";
import { message } from "./messages.ts";

const frames = fc.array(fc.tuple(fc.integer({ min: 1, max: 255 }), fc.uint8Array({ maxLength: 300 })), {
  maxLength: 20,
});

/** The stream cut at the given places. */
function cut(stream: Buffer, places: number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (stream.length + 1)))].sort((a, b) => a - b);
  const starts = [0, ...sorted];
  return starts.map((start, i) => stream.subarray(start, starts[i + 1] ?? stream.length));
}

describe("FrameReader", () => {
  test("any chunking gives the same messages", () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(5_000), { maxLength: 40 }), (bodies, places) => {
        const sent = bodies.map(([type, body]) => message(type, Buffer.from(body)));
        const reader = new FrameReader();
        const got: Buffer[] = [];
        for (const chunk of cut(Buffer.concat(sent), places)) {
          reader.push(chunk);
          for (let frame = reader.next(); frame; frame = reader.next()) {
            expect(frame.type).toBe(frame.bytes[0]);
            got.push(frame.bytes);
          }
        }
        expect(got).toEqual(sent);
        expect(reader.buffered).toBe(0);
      }),
    );
  });

  test("a startup packet may come byte by byte, with a message behind it", () => {
    const startup = Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0]);
    const reader = new FrameReader();
    for (const byte of startup.subarray(0, 8)) {
      reader.push(Buffer.from([byte]));
      expect(reader.nextStartup()).toBeNull();
    }
    reader.push(Buffer.concat([startup.subarray(8), message("X")]));
    expect(reader.nextStartup()).toEqual(startup.subarray(4));
    expect(reader.next()?.bytes).toEqual(message("X"));
  });

  test.each([0, 3, -1, 2 ** 30 + 1])("a message length of %i is refused", (length) => {
    const head = message("Q");
    head.writeInt32BE(length, 1);
    const reader = new FrameReader();
    reader.push(head);
    expect(() => reader.next()).toThrow(new FramingError(`invalid message length: ${length}`));
  });

  test("a startup packet of the wrong size is refused", () => {
    const reader = new FrameReader();
    reader.push(Buffer.from("GET / HTTP/1.1\r\n"));
    expect(() => reader.nextStartup()).toThrow("invalid length of startup packet: 1195725856");
  });
});
