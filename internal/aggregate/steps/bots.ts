import { memo } from "../../cache/memo.ts";
import type { BatchView } from "../../event/batch-view.ts";
import { type Bot, botOf } from "../agents/bot.ts";
import { cutAgent } from "../agents/cut.ts";
import type { DerivingTexts, Step } from "./step.ts";

const CAPACITY = 20_000;

const PERSON = 1;
const BOT = 2;
/** What sent the event tells nothing of who visited: no agent, or an HTTP library. */
const NOBODY = 3;

interface Verdict {
  readonly who: typeof PERSON | typeof BOT | typeof NOBODY;
  /** In the order of BOT_COLUMNS; undefined for a person. */
  readonly texts: readonly (string | null)[] | undefined;
}

const verdictOf = memo((agent: string): Verdict => {
  const bot = botOf(agent);
  if (bot === undefined) return { who: PERSON, texts: undefined };
  return { who: bot.kind === "library" ? NOBODY : BOT, texts: textsOf(bot) };
}, CAPACITY);

const NO_AGENT: Verdict = { who: NOBODY, texts: textsOf({ name: null, kind: "other", operator: null }) };

function textsOf({ name, kind, operator }: Bot) {
  return [name, kind, operator];
}

/**
 * Bots: crawlers and driven browsers by their user agent, whatever else the event tells; and events without an agent,
 * or with that of an HTTP library, that nothing ties to a visitor: no visitor id, no session id, no order.
 */
export const bots: Step = {
  name: "bots",
  version: 2,
  run(batch, { isBot, bot }) {
    const agents = batch.text("userAgent");
    const visitorIds = batch.text("visitorId");
    const sessionIds = batch.text("sessionId");
    const orders = batch.order("row");
    const verdicts = new VerdictsOf(batch);
    let order = 0;
    for (let row = 0; row < batch.rows; row++) {
      const hasOrder = orders?.[order] === row;
      if (hasOrder) order++;
      const agent = agents?.[row] ?? 0;
      const who = verdicts.who(agent);
      if (who === PERSON) continue;
      const isTied = (visitorIds?.[row] ?? 0) !== 0 || (sessionIds?.[row] ?? 0) !== 0 || hasOrder;
      if (who === NOBODY && isTied) continue;
      isBot[row] = 1;
      verdicts.tell(bot, row, agent);
    }
  },
};

/** The verdicts of a batch's agents, each looked up once. */
class VerdictsOf {
  readonly #batch: BatchView;
  /** `who` by the agent's index, 0 where it was not asked for yet. */
  readonly #who: Uint8Array;

  constructor(batch: BatchView) {
    this.#batch = batch;
    this.#who = new Uint8Array(batch.dictionary.size + 1);
    this.#who[0] = NO_AGENT.who;
  }

  who(agent: number): number {
    if (this.#who[agent] === 0) this.#who[agent] = this.#verdict(agent).who;
    return this.#who[agent]!;
  }

  /** Writes down which bot a row is of. People's batches get no keys at all. */
  tell(bot: DerivingTexts, row: number, agent: number): void {
    const { rows, dictionary } = this.#batch;
    bot.keys ??= new Uint32Array(rows);
    // Key 0 is nobody's: an absent agent's texts stand behind those of the dictionary.
    const key = agent === 0 ? dictionary.size + 1 : agent;
    bot.keys[row] = key;
    bot.texts[key] ??= this.#verdict(agent).texts;
  }

  #verdict(agent: number): Verdict {
    return agent === 0 ? NO_AGENT : verdictOf(cutAgent(this.#batch.dictionary.text(agent)!));
  }
}
