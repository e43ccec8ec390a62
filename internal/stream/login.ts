import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  nkeys,
  type TlsOptions,
} from "@nats-io/transport-node";
import { ChangingFile, type Files } from "../config/changing-file.ts";
import { ConfigError } from "../config/config-error.ts";
import { parseNatsAddress } from "../config/nats-address.ts";
import { readPemSettings } from "../config/pem-files.ts";
import type { NatsConfig } from "./connect.ts";

/**
 * Logs in with the credentials file where there is one, else with the address' user and password, or its token.
 * Both are asked for anew at each connection.
 */
export function authenticatorOf({ natsUrl, natsCredentialsFile }: NatsConfig, files: Files): Authenticator {
  if (natsCredentialsFile !== undefined) {
    const file = named("FOOTFALL_NATS_CREDENTIALS_FILE", () => {
      return new ChangingFile([natsCredentialsFile], ([text]) => readCredentials(text!), files);
    });
    return (nonce) => file.value(nonce);
  }
  return () => {
    const { login } = parseNatsAddress(natsUrl());
    if (login === undefined) return undefined;
    const { user, password } = login;
    return password === undefined ? { auth_token: user } : { user, pass: password };
  };
}

/** @throws ConfigError when the text is neither a user's JWT and seed nor a seed. */
function readCredentials(text: string): Authenticator {
  const bytes = new TextEncoder().encode(text.trim());
  try {
    if (!text.includes("-----BEGIN")) {
      nkeys.fromSeed(bytes);
      return nkeyAuthenticator(bytes);
    }
    const authenticator = credsAuthenticator(new TextEncoder().encode(text));
    authenticator("nonce");
    return authenticator;
  } catch {
    // The cause may repeat the seed.
    throw new ConfigError("the value is neither a .creds file (a user's JWT and NKey seed) nor an NKey seed");
  }
}

/**
 * TLS where the address or a file asks for it; undefined: as the server wishes. The texts are taken at each
 * connection.
 */
export function tlsOf(config: NatsConfig, files: Files): TlsOptions | undefined {
  const { natsCaFile: ca, natsCertificateFile: certificate, natsKeyFile: key } = config;
  const paths = { ca, certificate, key };
  const isAsked = parseNatsAddress(config.natsUrl()).tls;
  const pems = readPemSettings("FOOTFALL_NATS_CA_FILE, _CERTIFICATE_FILE, _KEY_FILE", paths, files);
  if (pems === undefined) return isAsked ? {} : undefined;
  return {
    get ca() {
      return pems.value.ca!;
    },
    get cert() {
      return pems.value.cert!;
    },
    get key() {
      return pems.value.key!;
    },
  };
}

function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(`${name}: ${error.message}`) : error;
  }
}
