/** Type bytes of the frontend and backend messages that this server looks into. */
export const Msg = {
  Query: 0x51,
  Parse: 0x50,
  Bind: 0x42,
  Describe: 0x44,
  Execute: 0x45,
  Close: 0x43,
  Sync: 0x53,
  Flush: 0x48,
  FunctionCall: 0x46,
  CopyData: 0x64,
  CopyDone: 0x63,
  CopyFail: 0x66,
  Terminate: 0x58,
  ErrorResponse: 0x45,
  NoticeResponse: 0x4e,
  NotificationResponse: 0x41,
  CopyInResponse: 0x47,
  ParseComplete: 0x31,
  DataRow: 0x44,
  ReadyForQuery: 0x5a,
} as const;

/** Transaction status as ReadyForQuery tells it: idle, in a transaction, in a failed transaction. */
export type TransactionStatus = "I" | "T" | "E";

/** One message: type byte, length, body. */
export function message(type: number | string, ...parts: (Buffer | string)[]): Buffer {
  const body = parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part));
  const head = Buffer.allocUnsafe(5);
  head[0] = typeof type === "string" ? type.charCodeAt(0) : type;
  head.writeInt32BE(4 + body.reduce((sum, part) => sum + part.length, 0), 1);
  return Buffer.concat([head, ...body]);
}

export const int32 = (value: number): Buffer => {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeInt32BE(value);
  return buffer;
};

export const simpleQuery = (sql: string): Buffer => message(Msg.Query, `${sql}\0`);
export const closeStatement = (name: string): Buffer => message(Msg.Close, `S${name}\0`);
export const sync = (): Buffer => message(Msg.Sync);
export const copyFail = (reason: string): Buffer => message(Msg.CopyFail, `${reason}\0`);
export const authenticationOk = (): Buffer => message("R", int32(0));
export const backendKeyData = (pid: number, secret: number): Buffer =>
  message("K", int32(pid), int32(secret));
export const readyForQuery = (status: TransactionStatus): Buffer => message(Msg.ReadyForQuery, status);
export const parameterStatus = (name: string, value: string): Buffer => message("S", `${name}\0${value}\0`);

/** Tells the client which protocol it gets: 3.0, and none of the options it asked for. */
export function negotiateProtocolVersion(unknownOptions: readonly string[]): Buffer {
  const names = unknownOptions.map((name) => `${name}\0`).join("");
  return message("v", int32(0), int32(unknownOptions.length), names);
}

/** Column formats are left out (0 columns): they are known only after planning, and no client needs them. */
export function copyInResponse(binary: boolean): Buffer {
  return message(Msg.CopyInResponse, Buffer.from([binary ? 1 : 0, 0, 0]));
}

/** A FATAL ErrorResponse; the connection is closed after it. `code` is the SQLSTATE. */
export function fatal(code: string, text: string): Buffer {
  return message(Msg.ErrorResponse, `SFATAL\0VFATAL\0C${code}\0M${text}\0\0`);
}

/** Fields of an ErrorResponse or NoticeResponse by their one-letter code (C SQLSTATE, M message, ...). */
export function errorFields(body: Buffer): Map<string, string> {
  const fields = new Map<string, string>();
  for (let at = 0; at < body.length && body[at] !== 0; ) {
    const end = body.indexOf(0, at);
    fields.set(String.fromCharCode(body[at]!), body.toString("utf8", at + 1, end));
    at = end + 1;
  }
  return fields;
}
