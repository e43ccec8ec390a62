/**
 * The requests and answers of the kernel's FUSE protocol that a file system of files, folders and symbolic links
 * needs: include/uapi/linux/fuse.h, version 7.31. All numbers are little-endian, as on every machine that tests run on.
 */

export const OP = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  FLUSH: 25,
  INIT: 26,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  CREATE: 35,
  INTERRUPT: 36,
  DESTROY: 38,
  BATCH_FORGET: 42,
  RENAME2: 45,
} as const;

/** Requests that get no answer. */
export const UNANSWERED: ReadonlySet<number> = new Set([OP.FORGET, OP.BATCH_FORGET, OP.INTERRUPT]);

/** Most bytes of one WRITE, and what comes before them in the buffer that requests are read into. */
export const MAX_WRITE = 1 << 20;
export const REQUEST_BYTES = MAX_WRITE + 4_096;

const HEADER_BYTES = 40;
/** How long the kernel may remember names and attributes, s: nothing changes behind its back. */
const VALID_S = 3_600n;

/** An error of the system, by its number. */
export class Errno extends Error {
  readonly errno: number;

  constructor(name: keyof typeof ERRNO) {
    super(name);
    this.errno = ERRNO[name];
  }
}

const ERRNO = { ENOENT: 2, EIO: 5, EEXIST: 17, ENOTDIR: 20, EINVAL: 22, ENOSYS: 38, ENOTEMPTY: 39 } as const;

export interface Request {
  readonly op: number;
  readonly unique: bigint;
  /** The file or folder that it is about. */
  readonly ino: number;
  /** Behind the header; valid until the next request. */
  readonly body: Buffer;
}

export function readRequest(bytes: Buffer): Request {
  return {
    op: bytes.readUInt32LE(4),
    unique: bytes.readBigUInt64LE(8),
    ino: Number(bytes.readBigUInt64LE(16)),
    body: bytes.subarray(HEADER_BYTES),
  };
}

/** The texts of a request, each of which ends with a zero. */
export function texts(body: Buffer, offset = 0): string[] {
  return body.subarray(offset).toString("utf8").split("\0");
}

export function answerHeader(unique: bigint, errno: number, bodyBytes: number): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + bodyBytes, 0);
  header.writeInt32LE(-errno, 4);
  header.writeBigUInt64LE(unique, 8);
  return header;
}

export interface Attributes {
  readonly ino: number;
  readonly size: number;
  /** Kind and permissions, as stat's st_mode. */
  readonly mode: number;
  readonly links: number;
  /** Owner and group. */
  readonly owner: number;
  /** Time of the last change, ms. */
  readonly time: number;
}

function attributes({ ino, size, mode, links, owner, time }: Attributes): Buffer {
  const out = Buffer.alloc(88);
  for (const [at, value] of [ino, size, Math.ceil(size / 512)].entries()) {
    out.writeBigUInt64LE(BigInt(value), 8 * at);
  }
  const seconds = BigInt(Math.floor(time / 1_000));
  for (const at of [24, 32, 40]) out.writeBigUInt64LE(seconds, at);
  for (const at of [48, 52, 56]) out.writeUInt32LE((time % 1_000) * 1e6, at);
  for (const [at, value] of [mode, links, owner, owner, 0, 4_096].entries()) {
    out.writeUInt32LE(value, 60 + 4 * at);
  }
  return out;
}

export function attributesAnswer(of: Attributes): Buffer {
  const head = Buffer.alloc(16);
  head.writeBigUInt64LE(VALID_S, 0);
  return Buffer.concat([head, attributes(of)]);
}

/** The answer to whatever finds or makes a name. */
export function entryAnswer(of: Attributes): Buffer {
  const head = Buffer.alloc(40);
  head.writeBigUInt64LE(BigInt(of.ino), 0);
  head.writeBigUInt64LE(VALID_S, 16);
  head.writeBigUInt64LE(VALID_S, 24);
  return Buffer.concat([head, attributes(of)]);
}

const BIG_WRITES = 1 << 5;
/** OPEN and OPENDIR are answered with ENOSYS, and never asked again: a file is known by its number alone. */
const NO_OPEN = 1 << 17;
const NO_OPENDIR = 1 << 24;
const MAX_PAGES = 1 << 22;

export function initAnswer(body: Buffer): Buffer {
  const out = Buffer.alloc(64);
  out.writeUInt32LE(7, 0);
  out.writeUInt32LE(31, 4);
  // As much read-ahead as the kernel offers.
  out.writeUInt32LE(body.readUInt32LE(8), 8);
  out.writeUInt32LE(BIG_WRITES | NO_OPEN | NO_OPENDIR | MAX_PAGES, 12);
  out.writeUInt16LE(64, 16);
  out.writeUInt16LE(48, 18);
  out.writeUInt32LE(MAX_WRITE, 20);
  out.writeUInt32LE(1, 24);
  out.writeUInt16LE(MAX_WRITE / 4_096, 28);
  return out;
}

/** An own, large and half empty disk. */
export function statfsAnswer(): Buffer {
  const out = Buffer.alloc(80);
  for (const [at, value] of [1 << 24, 1 << 23, 1 << 23, 1 << 20, 1 << 19].entries()) {
    out.writeBigUInt64LE(BigInt(value), 8 * at);
  }
  for (const [at, value] of [4_096, 255, 4_096].entries()) out.writeUInt32LE(value, 40 + 4 * at);
  return out;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly ino: number;
  readonly mode: number;
  /** Where the next READDIR goes on. */
  readonly cookie: number;
}

/** As many entries as fit. */
export function entriesAnswer(entries: Iterable<DirectoryEntry>, maxBytes: number): Buffer {
  const parts: Buffer[] = [];
  let bytes = 0;
  for (const { name, ino, mode, cookie } of entries) {
    const text = Buffer.from(name);
    const part = Buffer.alloc(Math.ceil((24 + text.length) / 8) * 8);
    bytes += part.length;
    if (bytes > maxBytes) break;
    part.writeBigUInt64LE(BigInt(ino), 0);
    part.writeBigUInt64LE(BigInt(cookie), 8);
    part.writeUInt32LE(text.length, 16);
    part.writeUInt32LE((mode >> 12) & 15, 20);
    text.copy(part, 24);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
