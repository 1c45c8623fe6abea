/**
 * The form of a receipt: the account of every path of a source, as one line of JSON each, gzipped, in an OCI artifact
 * whose subject is the image's manifest (image-spec 1.1, manifest.md, "Guidelines for Artifact Usage").
 */
import * as z from 'zod';
import type { EntryType } from '../../listing/entry.ts';
import type { FileClass } from '../../listing/file-class.ts';
import { isDigest } from '../../oci/digest.ts';
import { type ByteString, byteString, byteStringFromText, bytesOf } from '../../printable.ts';

export const RECEIPT_TYPE = 'application/vnd.p2c.receipt.v1';
export const RECEIPT_LINES_TYPE = 'application/vnd.p2c.receipt.v1.ndjson+gzip';

/**
 * - `captured`: in the image as it was; `fixed`: with a change that `fixes` names, so that importers take it
 * - `left-out`: by the rule `rule`
 * - `changed`: in the image as it was read, and it moved or went afterwards, or the source's tar could not read all of it, or
 *   not what it became
 * - `vanished`: it was there when p2c first looked, and is gone, from the image too
 * - `unreadable`: it is there, and the source's tar did not deliver it
 */
export const VERDICTS = ['captured', 'fixed', 'left-out', 'changed', 'vanished', 'unreadable'] as const;
export type Verdict = (typeof VERDICTS)[number];

const digest = z.string().refine(isDigest, { error: 'is no sha256 digest' });

/** The first line. */
export const headerSchema = z.object({
  receipt: z.literal(1),
  source: z.string(),
  captured: z.string(),
  /** Digests of the image's layers, the lowest first: what a line's `layer` counts from 0. */
  layers: z.array(digest),
  /** The volumes beside the image, in path order, with their layers. */
  volumes: z.array(z.object({ path: z.string(), layers: z.array(digest) })).optional(),
  rules: z.array(z.object({ id: z.string(), action: z.enum(['exclude', 'include']), reason: z.string() })),
  /**
   * Mounts that were not captured. What is below them is in no line, but for bind mounts of the device around them: there
   * each path is left out by a rule.
   */
  skipped: z.array(z.object({ mountPoint: z.string(), type: z.string(), reason: z.string() })),
});
export type ReceiptHeader = z.output<typeof headerSchema>;

const lineSchema = z.object({
  path: z.string(),
  /** The path's bytes, where they are no UTF-8; `path` then shows them as well as it can. */
  pathBase64: z.base64().optional(),
  type: z.enum(['f', 'd', 'l', 'p', 's', 'b', 'c', 'U'] satisfies EntryType[]),
  verdict: z.enum(VERDICTS),
  layer: z.int().min(0).optional(),
  volume: z.string().optional(),
  /** Of the content of a regular file. */
  digest: digest.optional(),
  /** The name that this further name of a file is linked to; the digest is with that one. */
  hardLink: z.string().optional(),
  hardLinkBase64: z.base64().optional(),
  rule: z.string().optional(),
  class: z.enum(['log', 'database', 'other'] satisfies FileClass[]).optional(),
  fixes: z.array(z.string()).optional(),
  reason: z.string().optional(),
});

/** What a receipt says of one path. */
export interface ReceiptLine {
  readonly path: ByteString;
  readonly type: EntryType;
  readonly verdict: Verdict;
  /** Number of the topmost layer that holds it, of the image or of the volume. */
  readonly layer?: number | undefined;
  /** Where it is held beside the image: the path of that volume. */
  readonly volume?: string | undefined;
  /** `sha256:…` of the content of a regular file. */
  readonly digest?: string | undefined;
  readonly hardLink?: ByteString | undefined;
  /** Id of the rule that left it out. */
  readonly rule?: string | undefined;
  /** Of what moved or could not be read. */
  readonly class?: FileClass | undefined;
  readonly fixes?: readonly string[] | undefined;
  readonly reason?: string | undefined;
}

export function encodeLine(line: ReceiptLine): string {
  // Nearly every line, without a copy of it: there is one for each path of a server.
  if (line.hardLink === undefined && ASCII.test(line.path)) return JSON.stringify(line);
  const { path, hardLink, ...rest } = line;
  return JSON.stringify({
    ...asText('path', path),
    ...rest,
    ...(hardLink === undefined ? {} : asText('hardLink', hardLink)),
  });
}

/** @throws ZodError, SyntaxError. */
export function decodeLine(text: string): ReceiptLine {
  const { path, pathBase64, hardLink, hardLinkBase64, ...rest } = lineSchema.parse(JSON.parse(text));
  const linked = hardLink === undefined ? undefined : fromText(hardLink, hardLinkBase64);
  return { ...rest, path: fromText(path, pathBase64), hardLink: linked };
}

/** What is the same as bytes and as text: nearly every path. */
const ASCII = /^[\x20-\x7e]*$/;

/** As text, and as bytes too where text cannot hold it. */
export function asText(key: 'path' | 'hardLink', path: ByteString): Record<string, string> {
  if (ASCII.test(path)) return { [key]: path };
  const bytes = bytesOf(path);
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return { [key]: text };
  return { [key]: text, [`${key}Base64`]: bytes.toString('base64') };
}

function fromText(text: string, base64: string | undefined): ByteString {
  return base64 === undefined ? byteStringFromText(text) : byteString(Buffer.from(base64, 'base64'));
}
