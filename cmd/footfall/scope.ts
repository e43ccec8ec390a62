import { ACCURACIES, IDENTITIES, TRAFFICS } from "../../internal/client/ask/parse-question.ts";
import { choice, flag, integer, optional, text } from "../../internal/config/setting.ts";
import { GRANULARITIES } from "../../internal/query/time/beginnings.ts";

/** When a question is about. */
export const when = {
  last: optional({
    description: "the last units before the current one: 30d, 12h, 4w, 6mo, 2q, 1y, 90min",
    schema: text(),
  }),
  includeCurrent: flag("of --last: the current unit, up to now, is one of them"),
  from: optional({ description: "first day, or an instant such as 2026-11-01T10:00Z", schema: text() }),
  to: optional({ description: "last day, included; or an instant, excluded", schema: text() }),
  compare: optional({
    description:
      "what to compare to: previous_period, previous_year, or a range such as 2025-11-01..2025-11-30",
    schema: text(),
  }),
  matchDayOfWeek: flag("of --compare: begin on the same day of the week"),
  cutToNow: flag("of --compare: no more of it than there is of a period that is not over"),
};

/** Whose events count, and by which rules. */
export const scope = {
  granularity: optional({
    description: `length of the buckets of time: ${GRANULARITIES.join(", ")}`,
    schema: choice(GRANULARITIES),
  }),
  filter: optional({
    description: "which events count, such as 'country==DE;page=^/shop/' (docs/filters.md)",
    schema: text(),
  }),
  traffic: {
    description: `whose events count: ${TRAFFICS.join(", ")}`,
    schema: choice(TRAFFICS),
    fallback: "people",
  },
  accuracy: {
    description: `whether distinct counts may be estimated: ${ACCURACIES.join(", ")}`,
    schema: choice(ACCURACIES),
    fallback: "balanced",
  },
  identity: {
    description: `what counts as one visitor: ${IDENTITIES.join(", ")} (all visitor ids of one user_id)`,
    schema: choice(IDENTITIES),
    fallback: "visitor",
  },
  timeZone: optional({
    description: "IANA name of the zone of days and hours; default: the merchant's",
    schema: text(),
  }),
  merchant: optional({
    description: "the merchant; default: the read key's",
    schema: integer(1, 2_147_483_647),
  }),
};
