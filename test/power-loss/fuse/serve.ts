import { spawnSync } from "node:child_process";
import { openSync, readSync, writevSync } from "node:fs";
import type { ForgetfulTree } from "../disk/tree.ts";
import {
  answerHeader,
  attributesAnswer,
  Errno,
  entriesAnswer,
  entryAnswer,
  initAnswer,
  OP,
  REQUEST_BYTES,
  type Request,
  readRequest,
  statfsAnswer,
  texts,
  UNANSWERED,
} from "./wire.ts";

/** Mounts a file system at a folder. Needs root. @returns the descriptor that its requests come from. */
export function mount(folder: string): number {
  const device = openSync("/dev/fuse", "r+");
  // mount(8) hands its fourth descriptor on to the kernel.
  const options = "fd=3,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions";
  const args = ["-i", "-t", "fuse", "-o", options, "forgetful", folder];
  const { status, stderr } = spawnSync("mount", args, { stdio: ["ignore", "ignore", "pipe", device] });
  if (status !== 0) throw new Error(`mount: ${stderr}`);
  return device;
}

/** Answers requests, one after another, until the file system is unmounted. Blocks this process meanwhile. */
export function serve(device: number, tree: ForgetfulTree): void {
  const buffer = Buffer.allocUnsafe(REQUEST_BYTES);
  for (;;) {
    const bytes = nextRequest(device, buffer);
    if (bytes === undefined) return;
    const request = readRequest(bytes);
    if (request.op === OP.DESTROY) return;
    const { errno, body } = answer(tree, request);
    if (UNANSWERED.has(request.op)) continue;
    writeAnswer(device, [answerHeader(request.unique, errno, body.length), body]);
  }
}

/** @returns undefined when the file system is unmounted. */
function nextRequest(device: number, buffer: Buffer): Buffer | undefined {
  for (;;) {
    try {
      return buffer.subarray(0, readSync(device, buffer));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENODEV") return undefined;
      // ENOENT: the caller was killed before its request was read.
      if (code !== "ENOENT" && code !== "EINTR" && code !== "EAGAIN") throw error;
    }
  }
}

function writeAnswer(device: number, parts: Buffer[]): void {
  try {
    writevSync(device, parts);
  } catch (error) {
    // The caller was killed meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

const NOTHING = Buffer.alloc(0);

function answer(tree: ForgetfulTree, request: Request): { errno: number; body: Buffer } {
  try {
    return { errno: 0, body: HANDLERS[request.op]?.(tree, request) ?? refuse() };
  } catch (error) {
    if (error instanceof Errno) return { errno: error.errno, body: NOTHING };
    throw error;
  }
}

function refuse(): never {
  throw new Errno("ENOSYS");
}

type Handler = (tree: ForgetfulTree, request: Request) => Buffer;

const nothing: Handler = () => NOTHING;
const number = (body: Buffer, at: number) => Number(body.readBigUInt64LE(at));

const remove: Handler = (tree, { op, ino, body }) => {
  tree.remove(ino, texts(body)[0]!, op === OP.RMDIR);
  return NOTHING;
};

/** RENAME_NOREPLACE of renameat2(2); no other flag is known. */
const NO_REPLACE = 1;

const rename: Handler = (tree, { op, ino, body }) => {
  const flags = op === OP.RENAME2 ? body.readUInt32LE(8) : 0;
  if (flags > NO_REPLACE) throw new Errno("EINVAL");
  const [from, to] = texts(body, op === OP.RENAME2 ? 16 : 8) as [string, string];
  tree.rename(ino, from, { dir: number(body, 0), name: to, mayReplace: flags === 0 });
  return NOTHING;
};

/** Bits of SETATTR's `valid`. */
const SET_MODE = 1 << 0;
const SET_SIZE = 1 << 3;

const setAttributes: Handler = (tree, { ino, body }) => {
  const valid = body.readUInt32LE(0);
  if (valid & SET_SIZE) tree.truncate(ino, number(body, 16));
  if (valid & SET_MODE) tree.setMode(ino, body.readUInt32LE(68));
  return attributesAnswer(tree.attributes(ino));
};

/** The numbers of the opened file, which nobody looks at. */
const OPENED = Buffer.alloc(16);

const HANDLERS: Readonly<Record<number, Handler>> = {
  [OP.INIT]: (_, { body }) => initAnswer(body),
  [OP.STATFS]: statfsAnswer,
  [OP.LOOKUP]: (tree, { ino, body }) => entryAnswer(tree.lookup(ino, texts(body)[0]!)),
  [OP.GETATTR]: (tree, { ino }) => attributesAnswer(tree.attributes(ino)),
  [OP.SETATTR]: setAttributes,
  [OP.READLINK]: (tree, { ino }) => Buffer.from(tree.target(ino)),
  [OP.SYMLINK]: (tree, { ino, body }) => {
    const [name, target] = texts(body) as [string, string];
    return entryAnswer(tree.symlink(ino, name, target));
  },
  [OP.MKNOD]: (tree, { ino, body }) =>
    entryAnswer(tree.create(ino, texts(body, 16)[0]!, body.readUInt32LE(0))),
  [OP.MKDIR]: (tree, { ino, body }) => entryAnswer(tree.mkdir(ino, texts(body, 8)[0]!, body.readUInt32LE(0))),
  [OP.CREATE]: (tree, { ino, body }) => {
    const made = tree.create(ino, texts(body, 16)[0]!, body.readUInt32LE(4));
    return Buffer.concat([entryAnswer(made), OPENED]);
  },
  [OP.LINK]: (tree, { ino, body }) => entryAnswer(tree.link(ino, texts(body, 8)[0]!, number(body, 0))),
  [OP.UNLINK]: remove,
  [OP.RMDIR]: remove,
  [OP.RENAME]: rename,
  [OP.RENAME2]: rename,
  [OP.READ]: (tree, { ino, body }) => tree.read(ino, number(body, 8), body.readUInt32LE(16)),
  [OP.WRITE]: (tree, { ino, body }) => {
    const size = body.readUInt32LE(16);
    tree.write(ino, number(body, 8), body.subarray(40, 40 + size));
    const out = Buffer.alloc(8);
    out.writeUInt32LE(size, 0);
    return out;
  },
  [OP.READDIR]: (tree, { ino, body }) =>
    entriesAnswer(tree.entries(ino, number(body, 8)), body.readUInt32LE(16)),
  [OP.FSYNC]: (tree, { ino }) => {
    tree.sync(ino);
    return NOTHING;
  },
  [OP.FSYNCDIR]: (tree, { ino }) => {
    tree.sync(ino);
    return NOTHING;
  },
  [OP.FORGET]: (tree, { ino }) => {
    tree.forget(ino);
    return NOTHING;
  },
  [OP.BATCH_FORGET]: (tree, { body }) => {
    for (let at = 8; at + 16 <= body.length; at += 16) tree.forget(number(body, at));
    return NOTHING;
  },
  [OP.INTERRUPT]: nothing,
  [OP.RELEASE]: nothing,
  [OP.RELEASEDIR]: nothing,
  [OP.FLUSH]: nothing,
};
