import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Files of a certificate that an authority has signed, PEM. */
export interface IssuedCertificate {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** An authority for tests; openssl makes its certificates. */
export interface TestAuthority {
  readonly caFile: string;
  /** @param name of the files, and the certificate's common name. @param hosts as in DNS:localhost or IP:127.0.0.1. */
  issue(name: string, hosts?: readonly string[]): IssuedCertificate;
}

const HOSTS = ["DNS:localhost", "IP:127.0.0.1"];

export function makeAuthority(folder: string, name = "authority"): TestAuthority {
  const path = (file: string) => join(folder, file);
  const make = (own: string, options: readonly string[]): IssuedCertificate => {
    const made = { certificateFile: path(`${own}.crt`), keyFile: path(`${own}.key`) };
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", made.keyFile];
    const request = [
      "req",
      "-x509",
      ...key,
      "-out",
      made.certificateFile,
      "-days",
      "2",
      "-subj",
      `/CN=${own}`,
    ];
    execFileSync("openssl", [...request, ...options], { stdio: "pipe" });
    return made;
  };
  const { certificateFile: caFile, keyFile } = make(name, []);
  return {
    caFile,
    issue: (own, hosts = HOSTS) =>
      make(own, [
        ...["-CA", caFile, "-CAkey", keyFile, "-addext", `subjectAltName=${hosts.join(",")}`],
        ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ]),
  };
}
