import { isbot } from "isbot";
import { memo } from "../../cache/memo.ts";
import type { Step } from "./step.ts";

/** Browsers that a program drives. */
const HEADLESS =
  /headless|phantomjs|slimerjs|puppeteer|playwright|selenium|webdriver|cypress|htmlunit|zombie\.js/i;

/**
 * What HTTP libraries and tools call themselves. It says who sent the request, not who visited: of an event that
 * a shop's server sends about a visitor as little as no agent at all.
 */
const LIBRARY =
  /^(curl|wget|httpie|python-requests|python-urllib|python-httpx|aiohttp|python|node|node-fetch|undici|axios|got|superagent|connect-es|grpc-[a-z+-]+|go-http-client|okhttp|java|apache-httpclient|reactor-netty|jersey|ruby|faraday|httparty|guzzlehttp|symfony|php|perl|libwww-perl|dart|rust|reqwest|postmanruntime|insomnia|\.net|restsharp)\b/i;

const PERSON = 0;
const BOT = 1;
const NOBODY = 2;
type Verdict = typeof PERSON | typeof BOT | typeof NOBODY;

const CAPACITY = 20_000;

/** What a user agent says of its sender. */
const judge = memo((agent: string): Verdict => {
  if (LIBRARY.test(agent)) return NOBODY;
  return HEADLESS.test(agent) || isbot(agent) ? BOT : PERSON;
}, CAPACITY);

/**
 * Bots: crawlers that `isbot` knows and driven browsers by their user agent, whatever else the event tells; and
 * events without an agent, or with that of an HTTP library, that nothing ties to a visitor: no visitor id, no
 * session id, no order.
 */
export const bots: Step = {
  name: "bots",
  version: 1,
  run(batch, { isBot }) {
    const agents = batch.text("userAgent");
    const visitorIds = batch.text("visitorId");
    const sessionIds = batch.text("sessionId");
    const orders = batch.order("row");
    const verdicts = new Uint8Array(batch.dictionary.size + 1).fill(UNKNOWN);
    verdicts[0] = NOBODY;
    let order = 0;
    for (let row = 0; row < batch.rows; row++) {
      const hasOrder = orders?.[order] === row;
      if (hasOrder) order++;
      const agent = agents?.[row] ?? 0;
      if (verdicts[agent] === UNKNOWN) verdicts[agent] = judge(batch.dictionary.text(agent)!);
      const verdict = verdicts[agent]!;
      const isTied = (visitorIds?.[row] ?? 0) !== 0 || (sessionIds?.[row] ?? 0) !== 0 || hasOrder;
      isBot[row] = verdict === BOT || (verdict === NOBODY && !isTied) ? 1 : 0;
    }
  },
};

const UNKNOWN = 255;
