import { isIP } from "node:net";
import { isAddressList, isHostName } from "./client.ts";
import type { Fields, Format } from "./fields.ts";
import { formatString } from "./format-string.ts";
import { HOST } from "./request.ts";

const REQUEST = '%h %l %u %t "%r" %>s %b';
const COMBINED = `${REQUEST} "%{Referer}i" "%{User-Agent}i"`;

/** Not a line of vhost_combined, whose second word is the client and which has one word more before its time. */
const isCombined = ({ client, ident, user }: Fields) =>
  (client === undefined || isAddressList(client) || isHostName(client) || client === "unix:") &&
  (ident === undefined || isIP(ident) === 0 || user?.includes(" ") !== true);

const isVirtual = ({ host, client }: Fields) =>
  host !== undefined &&
  HOST.test(host) &&
  client !== undefined &&
  (isAddressList(client) || (isHostName(client) && /:\d+$/.test(host)));

/** The last field tells main from combined with fields of someone's own behind it. */
const isMain = (fields: Fields) =>
  isCombined(fields) && (fields.forwarded === undefined || isAddressList(fields.forwarded));

/** Nothing but the time is at a place of its own. */
const isBalanced = ({ time }: Fields) => time !== undefined && /^\d{4}-\d\d-\d\dT/.test(time);

/** Amazon S3's server access log. */
const S3 = `%{owner}n %v %t %a %{requester}n %{id}n %{operation}n %{key}n "%r" %>s %{error}n %B %{object}n %{total}n %{turn}n "%{Referer}i" "%{User-Agent}i"`;

const ALB =
  '$type $time_iso8601 $elb $remote_addr $target $t1 $t2 $t3 $status $target_status $received $bytes_sent "$request" "$http_user_agent"';

/**
 * The formats of lines of text that have a name, the one that asks for more first: a line is in the first that
 * takes it. Common has nothing behind its end, or a combined line that was cut would pass for it.
 */
export const PRESETS: Readonly<Record<string, Format>> = {
  main: formatString(`${COMBINED} "%{X-Forwarded-For}i"`, { name: "nginx main", accepts: isMain }),
  vhost_combined: formatString(`%v:%p ${COMBINED}`, { name: "vhost_combined", accepts: isVirtual }),
  combined: formatString(COMBINED, { name: "combined", accepts: isCombined }),
  vhost_common: formatString(`%v:%p ${REQUEST}`, { name: "vhost_common", more: false, accepts: isVirtual }),
  common: formatString(REQUEST, { name: "common", more: false, accepts: isCombined }),
  alb: formatString(ALB, { name: "ALB", accepts: isBalanced }),
  s3: formatString(S3, { name: "S3" }),
  elb: formatString(ALB.replace("$type ", ""), { name: "ELB", accepts: isBalanced }),
};
