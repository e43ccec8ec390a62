import { hash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

export interface ObjectStoreOptions {
  /** http://host:port of an S3-compatible store; undefined for AWS. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly bucket: string;
  /** What all keys begin with: empty, or ending in a slash. */
  readonly prefix: string;
  /** Asked again when what it gave has expired. Undefined for the AWS chain: environment, profile, instance role. */
  readonly credentials: (() => Promise<Keys>) | undefined;
  /** The bucket in the path, not in the host's name. */
  readonly pathStyle: boolean;
}

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly expiration?: Date;
}

export interface StoredObject {
  /** Behind the prefix. */
  readonly name: string;
  readonly bytes: number;
}

/** A version of an object, or the mark of its deletion. */
interface Version {
  readonly name: string;
  readonly id: string;
  /** Whether it is the mark, and the object is deleted now. */
  readonly isDeleted: boolean;
}

/** Where a page of versions begins; empty: the first one. */
interface PageMarker {
  readonly KeyMarker?: string;
  readonly VersionIdMarker?: string | undefined;
}

interface VersionPage {
  readonly versions: Version[];
  readonly next: PageMarker | undefined;
}

/** A version as the store tells it. */
interface Found {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly IsLatest?: boolean | undefined;
}

/** Longest wait for a connection, and for an answer, ms. */
const CONNECT_MS = 5_000;
const REQUEST_MS = 60_000;

/** Size of the parts of a large object, bytes; S3 takes none below 5 MiB but the last. */
const PART_BYTES = 8 << 20;

/** The archive's objects on S3. Names are keys without the prefix. Every method throws what the store answers. */
export class ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor({ endpoint, region, bucket, prefix, credentials, pathStyle }: ObjectStoreOptions) {
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#client = new S3Client({
      region,
      forcePathStyle: pathStyle,
      maxAttempts: 3,
      requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: REQUEST_MS },
      // Every put brings its own checksum, and what is read is compared with the ledger's.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
    });
  }

  /** The whole key of a name, as the ledger keeps it. */
  key(name: string): string {
    return this.#prefix + name;
  }

  /** Asks for the bucket. @throws when it is away, missing, or not to be entered. */
  async check(): Promise<void> {
    await this.#client.send(new HeadBucketCommand({ Bucket: this.#bucket }));
  }

  /**
   * Puts an object: all of it, or nothing; the store verifies the checksums that come with it. The one function
   * through which everything in the archive goes.
   */
  async put(name: string, bytes: Uint8Array): Promise<void> {
    if (bytes.length > PART_BYTES) return await this.#putParts(name, bytes);
    const ChecksumSHA256 = sha256(bytes);
    await this.#client.send(new PutObjectCommand({ ...this.#at(name), Body: bytes, ChecksumSHA256 }));
  }

  async get(name: string): Promise<Uint8Array> {
    const { Body } = await this.#client.send(new GetObjectCommand(this.#at(name)));
    return await Body!.transformToByteArray();
  }

  /** Deletes an object, if there is one of that name. In a bucket that keeps versions it stays as one of them. */
  async delete(name: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#at(name)));
  }

  /** Deletes an object with all its versions, where the bucket keeps some, and the marks of its deletions. */
  async purge(name: string): Promise<void> {
    const versions: string[] = [];
    for await (const page of this.#versions(name)) {
      for (const version of page) if (version.name === name) versions.push(version.id);
    }
    for (const VersionId of versions) {
      await this.#client.send(new DeleteObjectCommand({ ...this.#at(name), VersionId }));
    }
    if (versions.length === 0) await this.delete(name);
  }

  /** Pages of names that begin with `start`, of objects that are deleted but of which the bucket keeps versions. */
  async *listDeleted(start: string): AsyncGenerator<string[]> {
    for await (const page of this.#versions(start)) {
      const names = page.filter(({ isDeleted }) => isDeleted).map(({ name }) => name);
      if (names.length > 0) yield names;
    }
  }

  /** @throws what the store answers, also that it is not allowed to ask. */
  async *#versions(start: string): AsyncGenerator<Version[]> {
    for (let from: PageMarker | undefined = {}; from !== undefined; ) {
      const page: VersionPage = await this.#versionPage(start, from);
      yield page.versions;
      from = page.next;
    }
  }

  /** Nothing from stores that know no versions. */
  async #versionPage(start: string, from: PageMarker): Promise<VersionPage> {
    const asked = { Bucket: this.#bucket, Prefix: this.key(start), ...from };
    const page = await this.#client.send(new ListObjectVersionsCommand(asked)).catch((error: unknown) => {
      if (isUnknown(error)) return undefined;
      throw error;
    });
    const versionsOf = (found: readonly Found[] = [], isMark: boolean) =>
      found.map(({ Key, VersionId, IsLatest }) => ({
        name: Key!.slice(this.#prefix.length),
        id: VersionId ?? "null",
        isDeleted: isMark && IsLatest === true,
      }));
    const versions = [...versionsOf(page?.Versions, false), ...versionsOf(page?.DeleteMarkers, true)];
    const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = page ?? {};
    return { versions, next: KeyMarker === undefined ? undefined : { KeyMarker, VersionIdMarker } };
  }

  /** The objects whose names begin with `start`, in the order of their names. */
  async *list(start: string): AsyncGenerator<StoredObject> {
    let ContinuationToken: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: this.key(start), ContinuationToken }),
      );
      for (const { Key, Size } of page.Contents ?? []) {
        yield { name: Key!.slice(this.#prefix.length), bytes: Size ?? 0 };
      }
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  close(): void {
    this.#client.destroy();
  }

  #at(name: string) {
    return { Bucket: this.#bucket, Key: this.key(name) };
  }

  async #putParts(name: string, bytes: Uint8Array): Promise<void> {
    const at = this.#at(name);
    const { UploadId } = await this.#client.send(
      new CreateMultipartUploadCommand({ ...at, ChecksumAlgorithm: "SHA256" }),
    );
    try {
      const Parts: CompletedPart[] = [];
      for (let start = 0; start < bytes.length; start += PART_BYTES) {
        const Body = bytes.subarray(start, start + PART_BYTES);
        const part = { PartNumber: start / PART_BYTES + 1, ChecksumSHA256: sha256(Body) };
        const { ETag } = await this.#client.send(new UploadPartCommand({ ...at, UploadId, Body, ...part }));
        Parts.push({ ...part, ETag });
      }
      const MultipartUpload = { Parts };
      await this.#client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload }));
    } catch (error) {
      // What is left of it costs space and is no object; buckets should expire incomplete uploads.
      await this.#client.send(new AbortMultipartUploadCommand({ ...at, UploadId })).catch(() => {});
      throw error;
    }
  }
}

/** Whether a store answered that there is no such object, rather than being away. */
export function isMissing(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404;
}

/** Whether a store answered that it has no such operation. */
function isUnknown(error: unknown): boolean {
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  return status === 405 || status === 501;
}

/** Whether a store answered that the request is wrong or forbidden: waiting will not help. */
export function isRefused(error: unknown): boolean {
  const status = error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0;
  return status >= 300 && status < 500 && status !== 408 && status !== 429;
}

function sha256(bytes: Uint8Array): string {
  return hash("sha256", bytes, "base64");
}
