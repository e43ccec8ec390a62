import type { AddressInfo, Server } from "node:net";

/**
 * Listens on an address; port 0 takes a free one. Rejects where the address cannot be had.
 * @param onError told of each connection that could not be accepted later, such as for want of file descriptors
 * (EMFILE): that ends nothing, as the next one may be.
 * @returns the port.
 */
export async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
  onError: (error: Error) => void = (error) => process.emitWarning(error),
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, () => {
      server.off("error", reject).on("error", onError);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}
