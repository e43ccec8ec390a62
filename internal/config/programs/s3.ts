import { z } from "zod";
import { optionalText, text, withVariables } from "../setting.ts";

/** Where the archive is. Shared by the programs that write and read it. */
export const s3 = withVariables("FOOTFALL", {
  s3Endpoint: {
    description: "address of an S3-compatible store, as http://host:port; none for AWS",
    schema: optionalText(),
    fallback: "",
  },
  s3Region: {
    description: "region of the bucket",
    schema: text(),
    fallback: "us-east-1",
  },
  s3Bucket: {
    description: "bucket of the archive",
    schema: text(),
  },
  s3Prefix: {
    description: "what the names of this installation's objects begin with, such as shop/archive",
    schema: z.string().transform((value) => value.replace(/^\/+/, "").replace(/([^/])\/*$/, "$1/")),
    fallback: "",
  },
  s3AccessKeyId: {
    description: "S3 access key; none for the AWS chain (environment, profile, instance role)",
    schema: optionalText(),
    fallback: "",
    secret: true,
  },
  s3SecretAccessKey: {
    description: "its secret",
    schema: optionalText(),
    fallback: "",
    secret: true,
  },
});
