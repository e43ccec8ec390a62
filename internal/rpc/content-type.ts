/**
 * A content type as the parts behind it compare it (RFC 9110 section 8.3): the media type in lower case, without
 * parameters. A charset that is none of UTF-8 stays, unquoted, so that nobody reads its text as if it were.
 */
export function normalContentType(value: string): string {
  if (isNormal(value)) return value;
  const [mediaType = "", ...parameters] = value.split(";");
  const charset = parameters
    .map((parameter) => parameter.toLowerCase().replace(/[\s"]/g, ""))
    .find((parameter) => parameter.startsWith("charset="));
  const type = mediaType.trim().toLowerCase();
  return charset === undefined || UTF8.has(charset) ? type : `${type}; ${charset}`;
}

/** US-ASCII is a part of UTF-8. */
const UTF8: ReadonlySet<string> = new Set(["charset=utf-8", "charset=utf8", "charset=us-ascii"]);

function isNormal(value: string): boolean {
  return /^[a-z0-9/+.-]*$/.test(value);
}

/** Whether a normal content type is JSON in one of the protocols: Connect's, gRPC's, gRPC-Web's. */
export function isJsonType(contentType: string): boolean {
  return /^application\/(connect\+|grpc\+|grpc-web\+|grpc-web-text\+)?json(;|$)/.test(contentType);
}
