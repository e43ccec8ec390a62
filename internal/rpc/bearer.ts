import { Failure } from "../failure/failure.ts";

/**
 * The API key in an `authorization: Bearer KEY` header.
 * @throws Failure unauthenticated when it is absent or of another form. The header is not quoted: it may
 * hold a secret.
 */
export function bearerToken(header: string | null | undefined): string {
  const match = /^Bearer ([\x21-\x7e]{1,256})$/i.exec(header ?? "");
  if (match === null) {
    throw new Failure("unauthenticated", "authorization: expected `Bearer KEY`");
  }
  return match[1]!;
}
