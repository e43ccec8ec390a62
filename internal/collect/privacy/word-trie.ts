const LETTERS = 26;
const SKIPPED = LETTERS + 1;

/** Of each ASCII character: its letter from 1 on, whatever its case; what joins words is skipped; 0 is of no word. */
const kinds = new Uint8Array(0x80);
for (let letter = 0; letter < LETTERS; letter++) kinds[0x41 + letter] = kinds[0x61 + letter] = letter + 1;
for (const sign of "-_.[] +") kinds[sign.charCodeAt(0)] = SKIPPED;

/** Words, parted by spaces, and the bits that a name has which is, or ends with, one of them. */
export interface Words {
  readonly words: string;
  readonly bits: number;
  readonly asEnding?: boolean;
}

/**
 * Words of the letters a to z that are looked up from their ends, without making a text of what is looked up: names
 * that are none of them are mostly told from them by their last letter or two. Case and what joins words
 * (`-_.[]`, spaces, +) do not matter.
 */
export class WordTrie {
  #next = new Uint16Array(LETTERS * 4_096);
  #nodes = 1;
  /** By node. */
  readonly #ofWhole: number[] = [0];
  readonly #ofEnding: number[] = [0];

  constructor(lists: readonly Words[]) {
    for (const { words, bits, asEnding = false } of lists) {
      for (const word of words.trim().split(/\s+/)) {
        const node = this.#add(word);
        if (asEnding) this.#ofEnding[node]! |= bits;
        else this.#ofWhole[node]! |= bits;
      }
    }
    this.#next = this.#next.slice(0, LETTERS * this.#nodes);
  }

  /** The bits of all words that the characters from one place to another are, or end with. */
  find(codes: Uint16Array, from: number, to: number): number {
    let node = 0;
    let bits = 0;
    for (let at = to - 1; at >= from; at--) {
      const code = codes[at]!;
      const kind = code < 0x80 ? kinds[code]! : 0;
      if (kind === SKIPPED) continue;
      if (kind === 0) return bits;
      node = this.#next[LETTERS * node + kind - 1]!;
      if (node === 0) return bits;
      bits |= this.#ofEnding[node]!;
    }
    return bits | this.#ofWhole[node]!;
  }

  #add(word: string): number {
    let node = 0;
    for (let at = word.length - 1; at >= 0; at--) {
      const edge = LETTERS * node + kinds[word.charCodeAt(at)]! - 1;
      if (this.#next[edge] === 0) {
        this.#next[edge] = this.#nodes++;
        this.#ofWhole.push(0);
        this.#ofEnding.push(0);
      }
      node = this.#next[edge]!;
    }
    return node;
  }
}
