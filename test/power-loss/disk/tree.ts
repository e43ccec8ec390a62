import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Attributes, type DirectoryEntry, Errno } from "../fuse/wire.ts";
import { Content } from "./content.ts";
import { type NameRule, Names } from "./names.ts";

const ROOT = 1;
const KIND = 0o170000;
const FOLDER = 0o040000;
const LINK = 0o120000;
const isFolder = (mode: number) => (mode & KIND) === FOLDER;

/** A file, folder or symbolic link. */
interface Inode {
  readonly ino: number;
  mode: number;
  /** Names that it has. */
  links: number;
  time: number;
  /** Of a file. */
  readonly content: Content | undefined;
  /** Of a folder: by name, in the order in which they came. */
  readonly entries: Map<string, Entry>;
  /** Of a symbolic link. */
  readonly target: string;
}

interface Entry {
  readonly ino: number;
  readonly cookie: number;
}

export interface TreeOptions {
  /** Holds what is durable. */
  readonly folder: string;
  readonly names: NameRule;
  /** User and group that all files belong to. */
  readonly owner: number;
  /** Whether what is written is made durable at once without an fsync, as a kernel may: asked at each write. */
  readonly isWrittenBack: () => boolean;
}

/**
 * A file system that forgets: it works in memory, and what is fsynced goes to a folder besides. When its process is
 * killed, the next one on the same folder is the disk after a loss of power.
 */
export class ForgetfulTree {
  readonly #options: TreeOptions;
  readonly #data: string;
  readonly #names: Names;
  readonly #inodes = new Map<number, Inode>();
  #lastIno = ROOT;
  #lastCookie = 0;

  constructor(options: TreeOptions) {
    this.#options = options;
    this.#data = join(options.folder, "data");
    mkdirSync(this.#data, { recursive: true });
    this.#names = new Names(options.folder, options.names);
    this.#add(ROOT, FOLDER | 0o755).links = 1;
    this.#load();
  }

  lookup(dir: number, name: string): Attributes {
    const entry = this.#folder(dir).entries.get(name);
    if (entry === undefined) throw new Errno("ENOENT");
    return this.attributes(entry.ino);
  }

  attributes(ino: number): Attributes {
    const { mode, links, time, content, target } = this.#inode(ino);
    const size = content?.size ?? target.length;
    return { ino, size, mode, links, owner: this.#options.owner, time };
  }

  target(ino: number): string {
    return this.#inode(ino).target;
  }

  /** Those behind a cookie. */
  *entries(dir: number, after: number): Iterable<DirectoryEntry> {
    for (const [name, { ino, cookie }] of this.#folder(dir).entries) {
      if (cookie > after) yield { name, ino, cookie, mode: this.#inode(ino).mode };
    }
  }

  create(dir: number, name: string, mode: number): Attributes {
    return this.#make(dir, name, mode);
  }

  mkdir(dir: number, name: string, mode: number): Attributes {
    return this.#make(dir, name, FOLDER | mode);
  }

  symlink(dir: number, name: string, target: string): Attributes {
    return this.#make(dir, name, LINK | 0o777, target);
  }

  link(dir: number, name: string, ino: number): Attributes {
    this.#mustBeFree(dir, name);
    this.#name(dir, name, ino);
    this.#names.change(this.#changeTo(dir, name, ino));
    return this.attributes(ino);
  }

  remove(dir: number, name: string, folder: boolean): void {
    const { ino } = this.lookup(dir, name);
    if (folder) this.#mustBeEmpty(ino);
    this.#unname(dir, name);
    this.#names.change({ dir, name });
  }

  rename(
    dir: number,
    name: string,
    to: { readonly dir: number; readonly name: string; readonly mayReplace: boolean },
  ): void {
    const { ino } = this.lookup(dir, name);
    const replaced = this.#folder(to.dir).entries.get(to.name)?.ino;
    if (replaced === ino) return;
    if (replaced !== undefined) {
      if (!to.mayReplace) throw new Errno("EEXIST");
      if (isFolder(this.#inode(replaced).mode)) this.#mustBeEmpty(replaced);
      this.#unname(to.dir, to.name);
    }
    this.#name(to.dir, to.name, ino);
    this.#unname(dir, name);
    this.#names.change(this.#changeTo(to.dir, to.name, ino), { dir, name });
  }

  read(ino: number, offset: number, length: number): Buffer {
    return this.#content(ino).read(offset, length);
  }

  write(ino: number, offset: number, bytes: Buffer): void {
    const content = this.#content(ino);
    content.write(offset, bytes);
    this.#inode(ino).time = Date.now();
    if (this.#options.isWrittenBack()) content.writeBack(offset, bytes.length);
  }

  truncate(ino: number, size: number): void {
    this.#content(ino).truncate(size);
    this.#inode(ino).time = Date.now();
  }

  /** Permissions are not what a power cut is about: they are durable at once, where the name is. */
  setMode(ino: number, mode: number): void {
    this.#inode(ino).mode = mode;
  }

  /** An fsync of a file or folder. */
  sync(ino: number): void {
    this.#inode(ino).content?.sync();
    this.#names.sync(ino);
  }

  /** The kernel has no use for it any more: one without a name is gone. */
  forget(ino: number): void {
    if (this.#inodes.get(ino)?.links === 0) this.#inodes.delete(ino);
  }

  #make(dir: number, name: string, mode: number, target = ""): Attributes {
    this.#mustBeFree(dir, name);
    const { ino } = this.#add(++this.#lastIno, mode, target);
    this.#name(dir, name, ino);
    this.#names.change(this.#changeTo(dir, name, ino));
    return this.attributes(ino);
  }

  #add(ino: number, mode: number, target = ""): Inode {
    const isFile = !isFolder(mode) && (mode & KIND) !== LINK;
    const content = isFile ? new Content(join(this.#data, String(ino))) : undefined;
    const inode: Inode = { ino, mode, links: 0, time: Date.now(), content, entries: new Map(), target };
    this.#inodes.set(ino, inode);
    return inode;
  }

  #name(dir: number, name: string, ino: number): void {
    this.#folder(dir).entries.set(name, { ino, cookie: ++this.#lastCookie });
    this.#inode(ino).links++;
  }

  #unname(dir: number, name: string): void {
    const { entries } = this.#folder(dir);
    this.#inode(entries.get(name)!.ino).links--;
    entries.delete(name);
  }

  #changeTo(dir: number, name: string, ino: number) {
    const { mode, target } = this.#inode(ino);
    return { dir, name, ino, mode, target };
  }

  /** Builds the tree from the durable names, and throws away what none of them names. */
  #load(): void {
    for (const { dir, name, ino, mode, target } of this.#names.load()) {
      if (!this.#inodes.has(dir)) this.#add(dir, FOLDER | 0o700);
      if (this.#inode(dir).entries.has(name)) this.#unname(dir, name);
      if (ino === undefined) continue;
      if (!this.#inodes.has(ino)) this.#add(ino, mode!, target);
      this.#name(dir, name, ino);
      this.#lastIno = Math.max(this.#lastIno, ino);
    }
    const reached = new Set(this.#reachable(ROOT));
    for (const ino of this.#inodes.keys()) if (!reached.has(ino)) this.#inodes.delete(ino);
    for (const file of readdirSync(this.#data)) {
      this.#lastIno = Math.max(this.#lastIno, Number(file));
      if (!reached.has(Number(file))) rmSync(join(this.#data, file));
    }
    this.#names.replace([...this.#inodes.values()].flatMap((inode) => this.#namesIn(inode)));
  }

  #namesIn({ ino: dir, entries }: Inode) {
    return [...entries].map(([name, { ino }]) => this.#changeTo(dir, name, ino));
  }

  *#reachable(ino: number): Iterable<number> {
    yield ino;
    for (const { ino: below } of this.#inode(ino).entries.values()) yield* this.#reachable(below);
  }

  #inode(ino: number): Inode {
    const inode = this.#inodes.get(ino);
    if (inode === undefined) throw new Errno("ENOENT");
    return inode;
  }

  #content(ino: number): Content {
    const { content } = this.#inode(ino);
    if (content === undefined) throw new Errno("EINVAL");
    return content;
  }

  #folder(ino: number): Inode {
    const inode = this.#inode(ino);
    if (!isFolder(inode.mode)) throw new Errno("ENOTDIR");
    return inode;
  }

  #mustBeFree(dir: number, name: string): void {
    if (this.#folder(dir).entries.has(name)) throw new Errno("EEXIST");
  }

  #mustBeEmpty(ino: number): void {
    if (this.#folder(ino).entries.size > 0) throw new Errno("ENOTEMPTY");
  }
}
