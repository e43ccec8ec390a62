import type { Installation } from "../standalone/installation.ts";
import type { CreatedMerchant } from "../store/merchants.ts";

const COLLECT = "footfall.collect.v1.CollectService/Send";
const QUERY = "footfall.query.v1.QueryService/RunReport";

/** Lines to paste into a shell. @param day a day with events, as YYYY-MM-DD. */
export function hints(installation: Installation, merchant: CreatedMerchant, day: string): string {
  const { collectorUrl, queryUrl, databaseWord } = installation;
  const report = JSON.stringify({
    period: { dates: { startDate: day, endDate: day } },
    metrics: ["visitors", "revenue"],
    dimensions: ["channel"],
  });
  const events = JSON.stringify({ events: [{ name: "page_view", url: "https://shop.example/hello" }] });
  const call = (url: string, key: string, body: string) =>
    `  curl ${url} -H 'content-type: application/json' -H 'authorization: Bearer ${key}' -d '${body}'`;
  return [
    "Look further:",
    call(`${queryUrl}/${QUERY}`, merchant.readKey, report),
    call(`${collectorUrl}/${COLLECT}`, merchant.writeKey, events),
    `  npx buf curl --schema . --protocol grpc --http2-prior-knowledge -H 'authorization: Bearer ${merchant.readKey}' -d '${report}' ${queryUrl}/${QUERY}`,
    `  FOOTFALL_URL=${queryUrl} FOOTFALL_READ_KEY=${merchant.readKey} npx footfall report --metrics visitors,revenue --by channel --from ${day} --to ${day}`,
    `  psql ${databaseWord} -c 'SELECT name, count(*) FROM events GROUP BY name ORDER BY count DESC'`,
  ].join("\n");
}
