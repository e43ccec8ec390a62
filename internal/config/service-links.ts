/** What a name ends with, and what its value then is. */
const LINKS: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/_SERVICE_HOST$/, /./],
  [/_SERVICE_PORT(_[A-Z0-9_]+)?$/, /^\d+$/],
  [/_PORT(_\d+_(TCP|UDP|SCTP))?$/, /^(tcp|udp|sctp):\/\//],
  [/_PORT_\d+_(TCP|UDP|SCTP)_(ADDR|PORT|PROTO)$/, /./],
];

/**
 * Whether a variable is one of those that Kubernetes sets in every pod for each Service of its namespace, such as
 * FOOTFALL_COLLECTOR_SERVICE_HOST for a Service "footfall-collector": nobody meant it as a setting. One of them,
 * FOOTFALL_COLLECTOR_PORT=tcp://10.0.0.1:4317, has a setting's very name, and is told from it by its value.
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
export function isServiceLink(name: string, value: string): boolean {
  return LINKS.some(([names, values]) => names.test(name) && values.test(value));
}
