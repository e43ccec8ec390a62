import { domainToASCII } from "node:url";
import { z } from "zod";

/** A host name of DNS in ASCII: labels of up to 63 characters, two and more, the last one no number. */
const HOST = /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?!\d+$)[a-z0-9-]{2,63}$/;

/** The name in ASCII, or nothing: URLs' rules would take "shop.example/path" for its host. */
const toAscii = (name: string) => (/[\s/?#@:\\%]/.test(name) ? "" : domainToASCII(name));

/** More make each event's look-up slow, and are no merchant's own. */
const MOST = 200;

/** Host names parted by commas, each once, in lower case and ASCII ("Müller.example" is "xn--mller-kva.example"). */
export const hostNames = () =>
  z
    .string()
    .transform((value) => value.split(",").map((name) => name.trim().replace(/\.$/, "")))
    .transform((names) => names.filter((name) => name !== ""))
    .superRefine((names, context) => {
      const wrong = names.filter((name) => !HOST.test(toAscii(name)));
      for (const name of wrong) {
        const message = `holds ${JSON.stringify(name)}, which is no host name such as shop.example`;
        context.addIssue({ code: "custom", message });
      }
      if (names.length > MOST) context.addIssue({ code: "custom", message: `has more than ${MOST} names` });
    })
    .transform((names) => [...new Set(names.map(toAscii))]);
