import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Debian 13: its nats-server is 2.10.27, which runs on Debian 12 as it is. */
const LATER_SUITE = "trixie";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** For a mirror that does not answer: seconds, then no second try. */
const IMPATIENT = ["-o", "Acquire::http::Timeout=20", "-o", "Acquire::Retries=0"];

/**
 * Downloads the nats-server package of the suites that apt knows here, and unpacks it in `place`: its files are all
 * that is needed, and a regular installation would start a system service on port 4222. Throws what apt-get says.
 */
export async function unpackOwnPackage(apt: string, place: string): Promise<void> {
  try {
    await download(apt, place);
  } catch {
    // An image without package lists knows no package at all: fetch the lists (as root) and try once more.
    await run(apt, ["update"]);
    await download(apt, place);
  }
  await unpack(place);
}

/**
 * The same from a later suite of the mirror that apt uses here, with package lists of its own beside the system's.
 * Throws where there is no such suite (Ubuntu), or what apt-get says.
 */
export async function unpackLaterPackage(apt: string, place: string): Promise<void> {
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : "";
  const lists = join(place, "lists");
  const cache = join(place, "cache");
  const sources = join(place, "sources.list");
  await mkdir(join(lists, "partial"), { recursive: true });
  await mkdir(join(cache, "archives", "partial"), { recursive: true });
  await writeFile(sources, `deb ${signed}${await mirrorOf(apt)} ${LATER_SUITE} main\n`);
  const options = [
    ...IMPATIENT,
    ...["-o", `Dir::Etc::SourceList=${sources}`, "-o", "Dir::Etc::SourceParts=-"],
    ...["-o", `Dir::State::Lists=${lists}`, "-o", `Dir::Cache=${cache}`],
    // _apt, which apt-get would work as, may not write here.
    ...["-o", "APT::Sandbox::User=root"],
  ];
  await run(apt, [...options, "update"]);
  await download(apt, place, options);
  await unpack(place);
}

/** The first mirror of the system's own sources that is Debian's main archive. */
async function mirrorOf(apt: string): Promise<string> {
  const format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
  const { stdout } = await run(apt, ["indextargets", "--format", format, "Created-By: Packages"]);
  const targets = stdout.split("\n").map((line) => line.split(" "));
  const main = targets.find(([, release, component]) => component === "main" && !release?.includes("-"));
  if (main === undefined) throw new Error("apt-get indextargets names no Debian archive");
  return main[0]!;
}

async function download(apt: string, place: string, options: readonly string[] = []): Promise<void> {
  await run(apt, [...options, "download", "nats-server"], { cwd: place });
}

async function unpack(place: string): Promise<void> {
  const archive = (await readdir(place)).find((name) => name.endsWith(".deb"));
  await run("dpkg-deb", ["--extract", join(place, archive!), place]);
}
