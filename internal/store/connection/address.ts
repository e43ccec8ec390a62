import { ConfigError } from "../../config/config-error.ts";

const SSL_MODES = ["disable", "require", "verify-ca", "verify-full"];

/** Parameters of TLS that are known here; another would be passed over in silence. */
const SSL_PARAMETERS = new Set(["sslmode", "sslrootcert", "sslcert", "sslkey", "sslnegotiation"]);

/**
 * A database's address such that pg understands its TLS as libpq does: `require` encrypts and trusts any certificate (with
 * `sslrootcert` it is `verify-ca`), `verify-ca` asks for a certificate of `sslrootcert`, `verify-full` for one in the
 * host's name too, of `sslrootcert` or else of an authority that Node knows. pg alone takes all three for `verify-full`.
 * https://www.postgresql.org/docs/current/libpq-ssl.html
 *
 * @throws ConfigError for what cannot be kept. It names the parameter, never the address.
 */
export function libpqAddress(address: string): string {
  const url = new URL(address);
  const { searchParams } = url;
  for (const name of searchParams.keys()) {
    if (/^ssl/.test(name) && !SSL_PARAMETERS.has(name)) {
      throw refused(name, `is not known: ${[...SSL_PARAMETERS].join(", ")} are`);
    }
  }
  const mode = searchParams.get("sslmode");
  if (mode === null) {
    const given = [...SSL_PARAMETERS].find((name) => searchParams.has(name));
    if (given !== undefined) throw refused(given, "needs an sslmode");
    return address;
  }
  if (!SSL_MODES.includes(mode)) throw refused("sslmode", `${mode} is none of ${SSL_MODES.join(", ")}`);
  if (mode === "verify-ca" && !searchParams.has("sslrootcert")) {
    throw refused("sslrootcert", "is needed for sslmode=verify-ca: the file of the authority's certificate");
  }
  if (searchParams.get("sslrootcert") === "system") {
    if (mode !== "verify-full") throw refused("sslrootcert", "system needs sslmode=verify-full");
    searchParams.delete("sslrootcert");
  }
  if (searchParams.has("sslcert") !== searchParams.has("sslkey")) {
    throw refused("sslcert", "and sslkey belong together");
  }
  searchParams.set("uselibpqcompat", "true");
  return url.href;
}

function refused(parameter: string, problem: string): ConfigError {
  return new ConfigError(`DATABASE_URL: ${parameter} ${problem}`);
}
