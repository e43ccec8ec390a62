/** What a line between two parts does to the bytes on it. */
export type NetworkFault =
  | { readonly kind: "none" }
  /** Connections break, and new ones are refused. */
  | { readonly kind: "cut" }
  /** Connections are taken, and nothing passes; neither side hears of the other's end. */
  | { readonly kind: "stall" }
  /** Everything arrives so much later, ms. */
  | { readonly kind: "delay"; readonly ms: number }
  /** What the server sends does not arrive. */
  | { readonly kind: "lose answers" }
  /** So many bytes of each direction pass, which may end within a message, then the connection breaks. */
  | { readonly kind: "truncate"; readonly bytes: number };

export const NO_FAULT: NetworkFault = { kind: "none" };
