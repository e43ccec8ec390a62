import { createSecureContext, type SecureContext } from "node:tls";
import { ChangingFile, type Files } from "./changing-file.ts";
import { ConfigError } from "./config-error.ts";

/** Files in PEM; a certificate has its key, and comes with those between it and its authority. */
export interface PemFiles {
  /** The authorities by whose signature the other side's certificate is known; undefined: those of the system. */
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

export interface Pems {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Of all of them; TLS 1.2 or later. */
  readonly context: SecureContext;
}

/**
 * Reads certificates with what belongs to them, and again when they change. A certificate whose key is not yet there
 * counts as one that cannot be used: the former pair goes on being used until both are.
 * @throws ConfigError when they cannot be read, or do not belong together.
 */
export function readPems({ ca, certificate, key }: PemFiles, files: Files): ChangingFile<Pems> {
  if ((certificate === undefined) !== (key === undefined)) {
    throw new ConfigError("a certificate and its key are given together, or neither");
  }
  const given = { ca, cert: certificate, key };
  const names = (["ca", "cert", "key"] as const).filter((name) => given[name] !== undefined);
  const parse = (texts: readonly string[]): Pems => {
    const none = { ca: undefined, cert: undefined, key: undefined };
    return checked(Object.assign(none, Object.fromEntries(names.map((name, at) => [name, texts[at]]))));
  };
  return new ChangingFile(
    names.map((name) => given[name]!),
    parse,
    files,
  );
}

/** OpenSSL looks whether it can read them, and whether the key is the certificate's. */
function checked(pems: Omit<Pems, "context">): Pems {
  if (pems.ca !== undefined && !pems.ca.includes("-----BEGIN CERTIFICATE-----")) {
    throw new ConfigError("the file of authorities holds no certificate in PEM");
  }
  try {
    const given = pems as { ca: string; cert: string; key: string };
    return { ...pems, context: createSecureContext({ ...given, minVersion: "TLSv1.2" }) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(`certificate, key or authorities cannot be used: ${code ?? "not PEM"}`);
  }
}

/** The same for settings, which are named when they are wrong. Undefined where none is given. */
export function readPemSettings(
  names: string,
  paths: PemFiles,
  files: Files,
): ChangingFile<Pems> | undefined {
  if (paths.ca === undefined && paths.certificate === undefined && paths.key === undefined) return undefined;
  try {
    return readPems(paths, files);
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(`${names}: ${error.message}`) : error;
  }
}
