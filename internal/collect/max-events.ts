/** Most events of one request. */
export const MAX_EVENTS = 1_000;
