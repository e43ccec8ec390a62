import { rootCertificates } from "node:tls";
import {
  type ChannelCredentials,
  credentials,
  experimental,
  type ServerCredentials,
  ServerCredentials as serverCredentials,
} from "@grpc/grpc-js";
import type { ChangingFile } from "../config/changing-file.ts";
import type { Pems } from "../config/pem-files.ts";

/** How often files are looked at that a gRPC server or client uses, ms. */
const LOOK_MS = 1_000;

type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

/** Gives certificates of files to grpc-js, and again when they change; grpc-js' own provider drops one that is broken. */
class PemProvider implements experimental.CertificateProvider {
  readonly #pems: ChangingFile<Pems>;
  readonly #cas = new Set<CaListener>();
  readonly #identities = new Set<IdentityListener>();
  #given: Pems;
  #timer: NodeJS.Timeout | undefined;

  constructor(pems: ChangingFile<Pems>) {
    this.#pems = pems;
    this.#given = pems.value;
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#cas.add(listener);
    this.#watch();
    process.nextTick(() => this.#tellCa(listener));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#cas.delete(listener);
    this.#watch();
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identities.add(listener);
    this.#watch();
    process.nextTick(() => this.#tellIdentity(listener));
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identities.delete(listener);
    this.#watch();
  }

  #watch(): void {
    const isUsed = this.#cas.size + this.#identities.size > 0;
    if (isUsed) this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    else {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #look(): void {
    if (this.#pems.value === this.#given) return;
    this.#given = this.#pems.value;
    for (const listener of this.#cas) this.#tellCa(listener);
    for (const listener of this.#identities) this.#tellIdentity(listener);
  }

  #tellCa(listener: CaListener): void {
    listener({ caCertificate: Buffer.from(this.#given.ca ?? rootCertificates.join("\n")) });
  }

  #tellIdentity(listener: IdentityListener): void {
    const { cert, key } = this.#given;
    const has = cert !== undefined && key !== undefined;
    listener(has ? { certificate: Buffer.from(cert), privateKey: Buffer.from(key) } : null);
  }
}

/** A server's side; with authorities, clients must show a certificate of theirs. Undefined: no TLS. */
export function serverSide(pems: ChangingFile<Pems> | undefined): ServerCredentials {
  if (pems === undefined) return serverCredentials.createInsecure();
  const provider = new PemProvider(pems);
  const cas = pems.value.ca === undefined ? null : provider;
  return experimental.createCertificateProviderServerCredentials(provider, cas, true);
}

/** A client's side: "system": TLS with the authorities that Node.js knows. Undefined: no TLS. */
export function clientSide(pems: ChangingFile<Pems> | "system" | undefined): ChannelCredentials {
  if (pems === undefined) return credentials.createInsecure();
  if (pems === "system") return credentials.createSsl();
  const provider = new PemProvider(pems);
  const identity = pems.value.cert === undefined ? null : provider;
  return experimental.createCertificateProviderChannelCredentials(provider, identity);
}
