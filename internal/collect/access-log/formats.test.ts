import fc from "fast-check";
import { expect, test } from "vitest";
import { LineReader } from "./line-reader.ts";

// A request is written in each format as its server does, by the server's documentation, and read back.

interface Written {
  readonly ip: string;
  readonly timeMs: number;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly status: number;
  readonly bytes: number;
  readonly referrer: string;
  readonly userAgent: string;
  readonly host: string;
}

const text = fc
  .string({
    unit: fc.constantFrom(..."ab/:;()'\"\\ +%äß€😀=&,|[]{}"),
    minLength: 1,
    maxLength: 20,
  })
  .filter((value) => value.trim() === value && value !== "-");
const path = fc.string({ unit: fc.constantFrom(..."abc/._-~"), maxLength: 12 }).map((rest) => `/${rest}`);

const written: fc.Arbitrary<Written> = fc.record({
  ip: fc.oneof(fc.ipV4(), fc.constantFrom("2001:db8::1", "2001:db8:1:2:3:4:5:6")),
  timeMs: fc.integer({ min: Date.UTC(2001, 8, 9, 2), max: Date.UTC(2036, 0) }).map((ms) => ms - (ms % 1_000)),
  method: fc.constantFrom("GET", "POST", "HEAD", "PROPFIND"),
  path,
  query: fc.constantFrom("a=1", "q=x%20y&z", "utm_source=news"),
  status: fc.integer({ min: 100, max: 599 }),
  bytes: fc.nat(),
  referrer: fc.constantFrom("https://www.example.com/", "https://x.example/p?q=1"),
  userAgent: text,
  host: fc.constantFrom("shop.example", "www.shop.example"),
});

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const two = (value: number) => String(value).padStart(2, "0");

/** Common log format's time, at an offset of minutes from UTC. */
function clf(ms: number, minutes = 0): string {
  const local = new Date(ms + minutes * 60_000);
  const zone = `${minutes < 0 ? "-" : "+"}${two(Math.trunc(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`;
  const clock = local.toISOString().slice(11, 19);
  return `${two(local.getUTCDate())}/${MONTHS[local.getUTCMonth()]}/${local.getUTCFullYear()}:${clock} ${zone}`;
}

const iso = (ms: number) => new Date(ms).toISOString().replace(".000", "");

/** ngx_http_log_escape: bytes below 32 and above 126, quotes and backslashes as \xXX. */
function nginx(value: string): string {
  return [...Buffer.from(value)]
    .map((byte) =>
      byte < 32 || byte > 126 || byte === 0x22 || byte === 0x5c
        ? `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`
        : String.fromCharCode(byte),
    )
    .join("");
}

/** ap_escape_logitem: a backslash before quotes and backslashes, \xhh for what does not print. */
function apache(value: string): string {
  return [...Buffer.from(value)]
    .map((byte) => {
      if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
      return byte < 32 || byte > 126 ? `\\x${byte.toString(16).padStart(2, "0")}` : String.fromCharCode(byte);
    })
    .join("");
}

const target = ({ path, query }: Written) => `${path}?${query}`;

function combined(at: Written, quote: (value: string) => string, minutes = 0): string {
  const request = `${at.method} ${quote(target(at))} HTTP/1.1`;
  const time = clf(at.timeMs, minutes);
  return `${at.ip} - - [${time}] "${request}" ${at.status} ${at.bytes} "${quote(at.referrer)}" "${quote(at.userAgent)}"`;
}

const common = (at: Written) =>
  `${at.ip} - frank [${clf(at.timeMs, -210)}] "${at.method} ${target(at)} HTTP/1.0" ${at.status} ${at.bytes}`;

const caddy = (at: Written) => ({
  level: "info",
  ts: at.timeMs / 1_000,
  logger: "http.log.access.log0",
  msg: "handled request",
  request: {
    remote_ip: "10.0.0.1",
    remote_port: "41342",
    client_ip: at.ip,
    proto: "HTTP/2.0",
    method: at.method,
    host: at.host,
    uri: target(at),
    headers: { "User-Agent": [at.userAgent], Referer: [at.referrer], Accept: ["*/*"] },
    tls: { resumed: false, version: 772, cipher_suite: 4865, proto: "h2", server_name: at.host },
  },
  bytes_read: 0,
  duration: 0.000929675,
  size: at.bytes,
  status: at.status,
  resp_headers: { Server: ["Caddy"], "Content-Type": ["text/html"] },
});

const traefik = (at: Written) => ({
  ClientAddr: at.ip.includes(":") ? `[${at.ip}]:4711` : `${at.ip}:4711`,
  ClientHost: at.ip,
  ClientPort: "4711",
  ClientUsername: "-",
  DownstreamContentSize: at.bytes,
  DownstreamStatus: at.status,
  Duration: 1_234_567,
  OriginStatus: at.status,
  RequestAddr: at.host,
  RequestHost: at.host,
  RequestMethod: at.method,
  RequestPath: target(at),
  RequestPort: "-",
  RequestProtocol: "HTTP/2.0",
  RequestScheme: "https",
  RouterName: "shop@docker",
  StartUTC: new Date(at.timeMs).toISOString(),
  "request_User-Agent": at.userAgent,
  request_Referer: at.referrer,
  level: "info",
  msg: "",
  time: new Date(at.timeMs + 5_000).toISOString(),
});

const nginxJson = (at: Written) => ({
  time_local: clf(at.timeMs, 60),
  remote_addr: at.ip,
  remote_user: "",
  request: `${at.method} ${target(at)} HTTP/1.1`,
  status: String(at.status),
  body_bytes_sent: String(at.bytes),
  request_time: "0.002",
  http_referrer: at.referrer,
  http_user_agent: at.userAgent,
});

/** IIS writes blanks as "+", which cannot be told from a "+" then. */
const iis = (at: Written) =>
  `${iso(at.timeMs).slice(0, 10)} ${iso(at.timeMs).slice(11, 19)} 10.0.0.5 ${at.method} ${at.path} ${at.query} 443 - ${at.ip} ${at.userAgent.replaceAll(" ", "+")} ${at.referrer} ${at.status} 0 0 15`;

const cloudfront = (at: Written) =>
  [
    iso(at.timeMs).slice(0, 10),
    iso(at.timeMs).slice(11, 19),
    "FRA2-C1",
    at.bytes,
    at.ip,
    at.method,
    "d111111abcdef8.cloudfront.net",
    at.path,
    at.status,
    at.referrer,
    encodeURIComponent(at.userAgent),
    at.query,
    "-",
    "Hit",
    "SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==",
    at.host,
    "https",
    23,
    "0.001",
    "-",
    "TLSv1.3",
    "TLS_AES_128_GCM_SHA256",
    "Hit",
    "HTTP/2.0",
    "-",
    "-",
    11_040,
    "0.001",
    "Hit",
    "text/html",
    78,
    "-",
    "-",
  ].join("\t");

const peer = ({ ip }: Written) => (ip.includes(":") ? `[${ip}]:2817` : `${ip}:2817`);

const elb = (at: Written) =>
  `${iso(at.timeMs).replace("Z", ".186641Z")} app/lb/50dc6c495c0c9188 ${peer(at)} 10.0.0.1:80 0.086 0.048 0.037 ${at.status} ${at.status} 0 ${at.bytes} "${at.method} https://${at.host}:443${target(at)} HTTP/1.1" "${nginx(at.userAgent)}" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2`;

const alb = (at: Written) =>
  `h2 ${elb(at)} arn:aws:elasticloadbalancing:us-east-2:1:targetgroup/t/7 "Root=1-58337364-23a8c76965a2ef7629b185e3" "-" "-" 0 2018-11-30T22:22:48.364000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"`;

interface Case {
  readonly name: string;
  /** Formats under which a line is read besides "auto". */
  readonly formats?: readonly string[];
  readonly line: (at: Written) => string;
  /** What the format does not tell, or tells in other words. */
  readonly lacks?: readonly (keyof Written)[];
  readonly url?: (at: Written) => string;
  readonly agent?: (at: Written) => string;
}

const CASES: readonly Case[] = [
  { name: "combined of nginx", formats: ["combined"], line: (at) => combined(at, nginx), lacks: ["host"] },
  {
    name: "combined of Apache",
    formats: ["combined"],
    line: (at) => combined(at, apache, 330),
    lacks: ["host"],
  },
  {
    name: "fields behind combined",
    line: (at) => `${combined(at, nginx)} 0.012 10.0.0.2:8080 .`,
    lacks: ["host"],
  },
  {
    name: "main",
    formats: ["main", "combined"],
    line: (at) => `${combined(at, nginx)} "-"`,
    lacks: ["host"],
  },
  {
    name: "vhost_combined",
    formats: ["vhost_combined"],
    line: (at) => `${at.host}:443 ${combined(at, apache)}`,
  },
  { name: "common", formats: ["common"], line: common, lacks: ["host", "referrer", "userAgent"] },
  {
    name: "vhost_common",
    formats: ["vhost_common"],
    line: (at) => `${at.host}:80 ${common(at)}`,
    lacks: ["referrer", "userAgent"],
  },
  { name: "Caddy", formats: ["caddy", "json"], line: (at) => JSON.stringify(caddy(at)) },
  { name: "Traefik", formats: ["traefik", "json"], line: (at) => JSON.stringify(traefik(at)) },
  { name: "nginx JSON", formats: ["json"], line: (at) => JSON.stringify(nginxJson(at)), lacks: ["host"] },
  {
    name: "IIS",
    formats: ["iis", "w3c"],
    line: iis,
    lacks: ["host", "bytes"],
    agent: ({ userAgent }) => userAgent.replaceAll("+", " "),
  },
  { name: "CloudFront", formats: ["cloudfront"], line: cloudfront },
  { name: "ALB", formats: ["alb"], line: alb, lacks: ["host", "referrer"], url: absolute },
  { name: "ELB", formats: ["elb"], line: elb, lacks: ["host", "referrer"], url: absolute },
  {
    name: "an nginx format string",
    formats: [
      `log_format x escape=default '$remote_addr|$msec|$request_method|$scheme://$host$uri?$args|' '$status|$body_bytes_sent|"$http_referer"|"$http_user_agent"';`,
    ],
    line: (at) =>
      `${at.ip}|${at.timeMs / 1_000}.000|${at.method}|https://${at.host}${at.path}?${at.query}|${at.status}|${at.bytes}|"${nginx(at.referrer)}"|"${nginx(at.userAgent)}"`,
  },
  {
    name: "an Apache format string",
    formats: [
      String.raw`LogFormat "%v %a %{%Y-%m-%d}t %{%T}t %m %U%q %>s %B \"%{User-agent}i\" \"%{Referer}i\" %D" mine`,
    ],
    line: (at) =>
      `${at.host} ${at.ip} ${iso(at.timeMs).slice(0, 10)} ${iso(at.timeMs).slice(11, 19)} ${at.method} ${target(at)} ${at.status} ${at.bytes} "${apache(at.userAgent)}" "${at.referrer}" 1234`,
  },
  {
    name: "an nginx format string of JSON",
    formats: [
      `{"t":"$time_iso8601","who":"$remote_addr","r":"$request","s":$status,"b":$body_bytes_sent,"from":"$http_referer","with":"$http_user_agent","h":{"name":"$host"}}`,
    ],
    line: (at) =>
      JSON.stringify({
        t: `${iso(at.timeMs).slice(0, 19)}+00:00`,
        who: at.ip,
        r: `${at.method} ${target(at)} HTTP/1.1`,
        s: at.status,
        b: at.bytes,
        from: at.referrer,
        with: at.userAgent,
        h: { name: at.host },
      }),
  },
];

function absolute(at: Written): string {
  return `https://${at.host}:443${target(at)}`;
}

const NAMED = CASES.flatMap((entry) => {
  const isOwn = entry.formats?.some((format) => /[$%]/.test(format));
  return [...(isOwn ? [] : ["auto"]), ...(entry.formats ?? [])].map((format) => ({ ...entry, format }));
});

test.each(NAMED)("$name is read back as $format", ({ line, format, lacks = [], url, agent }) => {
  fc.assert(
    fc.property(written, (at) => {
      const result = new LineReader({ format }).read(line(at));
      const { ip, timeMs, method, status, bytes, referrer, userAgent, host } = at;
      const expected: Record<string, unknown> = {
        ip,
        timeMs,
        method,
        status,
        bytes,
        referrer,
        userAgent,
        host,
      };
      expected.target = url?.(at) ?? target(at);
      if (agent !== undefined) expected.userAgent = agent(at);
      for (const field of lacks) expected[field] = undefined;
      expect(result).toMatchObject({ ok: true });
      const request: Record<string, unknown> = result?.ok ? { ...result.request } : {};
      for (const [field, value] of Object.entries(expected)) {
        // ELB tells microseconds.
        if (field === "timeMs") expect(Math.abs(Number(request[field]) - Number(value))).toBeLessThan(1_000);
        else expect([field, request[field]]).toEqual([field, value]);
      }
    }),
  );
});

test("a directive names the columns of what follows", () => {
  const reader = new LineReader({ format: "auto" });
  reader.begin([]);
  for (const line of [
    "#Software: Microsoft Internet Information Services 10.0",
    "#Fields: date time s-sitename cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent) cs(Referer) cs-host sc-status",
  ]) {
    expect(reader.read(line)).toBeUndefined();
  }
  const line = "2026-11-29 10:00:00 W3SVC1 GET /a - 192.0.2.4 Moz+x https://r.example/ shop.example 200";
  expect(reader.read(line)).toMatchObject({
    ok: true,
    request: { timeMs: Date.UTC(2026, 10, 29, 10), target: "/a", ip: "192.0.2.4", host: "shop.example" },
  });
  reader.read("#Fields: date time c-ip cs-method cs-uri-stem sc-status");
  expect(reader.read("2026-11-29 10:00:01 192.0.2.5 GET /b 404")).toMatchObject({
    ok: true,
    request: { target: "/b", ip: "192.0.2.5", status: 404 },
  });
});

test.each([
  ["Docker", (line: string) => ({ log: `${line}\n`, stream: "stdout", time: "2026-11-29T10:00:00.1Z" })],
  ["Fluent Bit", (line: string) => ({ date: 1764410400.25, log: line })],
  ["fluentd", (line: string) => ({ message: line, tag: "nginx" })],
  [
    "Fluent Bit with the file's path",
    (line: string) => ({ date: 1, log: line, path: "/var/log/access.log" }),
  ],
])("a line that %s carries is read", (_, wrap) => {
  fc.assert(
    fc.property(written, (at) => {
      const line = combined(at, nginx);
      const read = new LineReader({ format: "auto" }).read(JSON.stringify(wrap(line)));
      expect(read).toEqual(new LineReader({ format: "combined" }).read(line));
      expect(read?.ok).toBe(true);
    }),
  );
});

test("a record that a shipper has parsed has the time at which it came", () => {
  // Fluent Bit's and fluentd's apache2 parser, which takes the time out.
  const record = {
    host: "192.0.2.9",
    user: "-",
    method: "GET",
    path: "/x",
    code: "200",
    size: "7",
    agent: "A",
  };
  const read = new LineReader({ format: "auto" }).readRecord({ date: 1764410400.25, ...record });
  expect(read).toMatchObject({
    ok: true,
    request: { timeMs: 1764410400250, ip: "192.0.2.9", target: "/x", status: 200, bytes: 7, userAgent: "A" },
  });
});
