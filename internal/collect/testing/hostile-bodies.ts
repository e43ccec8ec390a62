/** A part of a body: some text or bytes, so many times. Structure is kept apart from size, so that both can change. */
export type Part =
  | { readonly kind: "text"; readonly text: string; readonly times: number }
  /** Bytes in hexadecimal digits. */
  | { readonly kind: "bytes"; readonly hex: string; readonly times: number }
  /** A field of a protobuf message, with its length in front. */
  | {
      readonly kind: "field";
      readonly number: number;
      readonly parts: readonly Part[];
      readonly times: number;
    };

/** A request's body, in either form. */
export interface Body {
  readonly isJson: boolean;
  readonly parts: readonly Part[];
}

/** Numbers from 0 to below 1. */
export type Random = () => number;

/** The generator "mulberry32" (Tommy Ettinger, public domain). */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const text = (text: string, times = 1): Part => ({ kind: "text", text, times });
const bytes = (hex: string, times = 1): Part => ({ kind: "bytes", hex, times });
const field = (number: number, parts: readonly Part[], times = 1): Part => ({
  kind: "field",
  number,
  parts,
  times,
});
const json = (...parts: Part[]): Body => ({ isJson: true, parts });
const proto = (...parts: Part[]): Body => ({ isJson: false, parts });

const NAME = field(2, [text("page_view")]);
const HOSTILE_TEXTS = [
  "https://a.example/?" + "a=1&b%2540=x@y.example&",
  "@",
  "a@",
  "%40",
  "%",
  "&",
  "?",
  "#",
  ";",
  "\u00e9",
  "\0",
  "\ud83d\ude00",
  "\u0301",
  "4111111111111111 ",
  "a.b.",
  "eyJ.",
  "/",
  "0",
  " ",
  '\\"',
  "\\u00e9",
];

/** Where the search begins: what each kind of field may be made of. */
export const seeds: readonly Body[] = [
  json(text('{"events":['), text('{"name":"a"},', 100), text('{"name":"b"}]}')),
  json(text('{"events":['), text("{},", 500), text("{}]}")),
  json(text('{"events":[{"name":"a","properties":{'), text('"k":1,', 50), text('"a":"b"}}]}')),
  json(text('{"events":[{"name":"a","items":['), text('{"id":"x","name":"y"},', 200), text('{"id":"z"}]}]}')),
  json(text('{"events":[{"name":"a","properties":{"a":'), text("[", 200), text("]", 200), text("}}]}")),
  json(text('{"events":[{"name":"a","order":{"id":"o","revenueMicros":'), text("9", 80), text("}}]}")),
  proto(field(1, [NAME], 100)),
  proto(field(1, [], 1_000)),
  proto(field(1, [NAME, field(12, [field(1, [text("k")]), field(2, [text("v")])], 64)], 10)),
  proto(field(1, [NAME, field(12, [], 300)], 10)),
  proto(field(1, [NAME, field(14, [field(1, [text("x")]), field(2, [text("y", 1_100)])], 200)], 2)),
  proto(field(1, [NAME, field(13, [field(1, [text("o")]), bytes("10ffffffffffffffff7f")])], 100)),
  proto(
    field(1, [NAME, field(1, [text("i", 40)]), field(4, [text("v", 300)]), field(5, [text("s", 300)])], 100),
  ),
  proto(field(1, [NAME, field(9, [text("1.2.3.4:5")]), bytes("5a0408001000")], 100)),
  proto(bytes("2a00", 500), field(2, [bytes("0801")]), field(1, [NAME])),
  ...HOSTILE_TEXTS.flatMap((unit) => [
    proto(field(1, [NAME, field(6, [text("https://a.example/"), text(unit, 400)])], 20)),
    proto(field(1, [NAME, field(7, [text(unit, 3_000)])], 5)),
    json(
      text('{"events":['),
      text('{"name":"a","url":"https://a.example/'),
      text(unit.replace(/[\0"\\]/g, ""), 400),
      text('"}]}'),
    ),
  ]),
];

export function bodyBytes({ parts }: Body): Buffer {
  return Buffer.concat(parts.map(partBytes));
}

function partBytes(part: Part): Buffer {
  if (part.kind === "field") {
    const inner = Buffer.concat(part.parts.map(partBytes));
    const one = Buffer.concat([varint(((part.number << 3) | 2) >>> 0), varint(inner.length), inner]);
    return repeated(one, part.times);
  }
  const unit = part.kind === "text" ? Buffer.from(part.text) : Buffer.from(part.hex, "hex");
  return repeated(unit, part.times);
}

function repeated(unit: Buffer, times: number): Buffer {
  return unit.length === 0 ? unit : Buffer.alloc(unit.length * times, unit);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** A body that is changed in one to three places, and no larger than the most bytes. */
export function mutated(body: Body, random: Random, most: number): Body {
  let parts = body.parts;
  for (let changes = 1 + Math.floor(3 * random()); changes > 0; changes--)
    parts = changedIn(parts, random, body.isJson);
  const changed = { ...body, parts };
  return sizeOf(parts) <= most ? changed : { ...body, parts: body.parts.map((part) => halved(part)) };
}

function sizeOf(parts: readonly Part[]): number {
  const sizeOfOne = (part: Part) =>
    part.kind === "field"
      ? 6 + sizeOf(part.parts)
      : part.kind === "text"
        ? 3 * part.text.length
        : part.hex.length / 2;
  return parts.reduce((sum, part) => sum + part.times * sizeOfOne(part), 0);
}

const halved = (part: Part): Part => ({ ...part, times: Math.max(1, part.times >>> 1) });

function changedIn(parts: readonly Part[], random: Random, isJson: boolean): Part[] {
  const at = Math.floor(random() * parts.length);
  const part = parts[at];
  if (part === undefined) return [anyPart(random, isJson)];
  if (part.kind === "field" && random() < 0.6) {
    return parts.with(at, { ...part, parts: changedIn(part.parts, random, isJson) });
  }
  const choice = random();
  if (choice < 0.45) return parts.with(at, { ...part, times: timesOf(part.times, random) });
  if (choice < 0.6) return parts.toSpliced(at, 0, part);
  if (choice < 0.7 && parts.length > 1) return parts.toSpliced(at, 1);
  if (choice < 0.85) return parts.toSpliced(at, 0, anyPart(random, isJson));
  return parts.with(at, changedUnit(part, random, isJson));
}

function timesOf(times: number, random: Random): number {
  const factor = [0.1, 0.5, 0.9, 1.1, 2, 4, 10][Math.floor(7 * random())]!;
  return Math.max(1, Math.round(times * factor));
}

function anyPart(random: Random, isJson: boolean): Part {
  const unit = HOSTILE_TEXTS[Math.floor(random() * HOSTILE_TEXTS.length)]!;
  if (isJson)
    return text(
      random() < 0.5 ? unit : ["{}", "[]", ",", '"a":1,', "[", "]", "{", "}", '"'][Math.floor(9 * random())]!,
    );
  const number = 1 + Math.floor(25 * random());
  if (random() < 0.3)
    return bytes(
      ["00", "ff", "0800", "10ffffffffffffffff7f", "6200", "7200", "6a00"][Math.floor(7 * random())]!,
    );
  return field(number, [text(unit)]);
}

function changedUnit(part: Part, random: Random, isJson: boolean): Part {
  if (part.kind === "field") return { ...part, number: 1 + Math.floor(25 * random()) };
  if (part.kind === "bytes") return anyPart(random, isJson);
  const unit = HOSTILE_TEXTS[Math.floor(random() * HOSTILE_TEXTS.length)]!;
  return random() < 0.5 ? { ...part, text: part.text + unit } : { ...part, text: unit };
}
