/** The text columns of a row. */
export const TEXT_COLUMNS = [
  "name",
  "visitorId",
  "sessionId",
  "url",
  "referrer",
  "userAgent",
  "ip",
  "language",
] as const;
export type TextColumn = (typeof TEXT_COLUMNS)[number];
