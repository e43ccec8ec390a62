import { z } from "zod";
import { optionalText, text } from "../setting.ts";

/** Where the archive is. Shared by the programs that write and read it. */
export const s3 = {
  s3Endpoint: {
    env: "FOOTFALL_S3_ENDPOINT",
    description: "address of an S3-compatible store, as http://host:port; none for AWS",
    schema: optionalText(),
    fallback: "",
  },
  s3Region: {
    env: "FOOTFALL_S3_REGION",
    description: "region of the bucket",
    schema: text(),
    fallback: "us-east-1",
  },
  s3Bucket: {
    env: "FOOTFALL_S3_BUCKET",
    description: "bucket of the archive",
    schema: text(),
  },
  s3Prefix: {
    env: "FOOTFALL_S3_PREFIX",
    description: "what the keys of this installation's archive begin with, such as shop/archive",
    schema: z.string().transform((value) => value.replace(/^\/+/, "").replace(/([^/])\/*$/, "$1/")),
    fallback: "",
  },
  s3AccessKeyId: {
    env: "FOOTFALL_S3_ACCESS_KEY_ID",
    description: "access key; none for the AWS chain (environment, profile, instance role)",
    schema: optionalText(),
    fallback: "",
    secret: true,
  },
  s3SecretAccessKey: {
    env: "FOOTFALL_S3_SECRET_ACCESS_KEY",
    description: "its secret",
    schema: optionalText(),
    fallback: "",
    secret: true,
  },
} as const;
