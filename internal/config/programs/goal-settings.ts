import { z } from "zod";
import { integer, optionalText } from "../setting.ts";

/** An amount in units of a currency, such as 12.50; in micros. Empty stands for "not given". */
const optionalAmount = () =>
  z
    .string()
    .regex(/^(|\d{1,12}(\.\d{1,6})?)$/, "is no amount such as 12.50")
    .transform((value) => {
      if (value === "") return undefined;
      const [units, fraction = ""] = value.split(".");
      return BigInt(units! + fraction.padEnd(6, "0"));
    });

/** What `admin goal` takes, besides the merchant and the goal's name. */
export const goalSettings = {
  goal: {
    env: "FOOTFALL_ADMIN_GOAL",
    flag: "goal",
    description: "goal remove: id of the goal; 0: not given",
    schema: integer(0, 2_147_483_647),
    fallback: "0",
  },
  eventName: {
    env: "FOOTFALL_ADMIN_EVENT_NAME",
    flag: "event-name",
    description: "goal add: name of the events that reach it; absent: any",
    schema: optionalText(),
    fallback: "",
  },
  pagePattern: {
    env: "FOOTFALL_ADMIN_PAGE_PATTERN",
    flag: "page-pattern",
    description:
      "goal add: path of the pages on which it is reached, such as /blog/*/thanks or /shop/**; absent: any page, and none",
    schema: optionalText(),
    fallback: "",
  },
  value: {
    env: "FOOTFALL_ADMIN_VALUE",
    flag: "value",
    description:
      "goal add: what reaching it once is worth, in units of the merchant's currency, such as 12.50; absent: the revenue of the event",
    schema: optionalAmount(),
    fallback: "",
  },
} as const;
