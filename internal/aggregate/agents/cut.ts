/** As much of a user agent as is looked at, UTF-16 units: browsers and bots say who they are within some 600. */
const LONGEST = 1_024;

/**
 * The part of a user agent that is looked at, so that a hostile one costs no more than it. It is a copy: what remembers
 * it does not hold the rest.
 */
export function cutAgent(agent: string): string {
  if (agent.length <= LONGEST) return agent;
  return Buffer.from(agent.slice(0, LONGEST), "utf16le").toString("utf16le");
}
