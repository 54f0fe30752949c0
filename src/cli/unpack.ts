/** Compressed files and archives → the files in them. */
import { gunzipSync } from "node:zlib";
import { Parser, type ReadEntry } from "tar";

export interface PackedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What gzip may unfold to; a small file can be made to fill any disk. */
const UNPACKED_MAX = 1 << 30;

/** The files in a gzip file or tar archive; undefined when the bytes are neither. Rejects with the reason in words. */
export async function unpack(name: string, bytes: Uint8Array): Promise<readonly PackedFile[] | undefined> {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const plain = isGzip ? gunzip(bytes) : bytes;
  if (isTar(plain)) return await filesOf(name, plain);
  return isGzip ? [{ name: name.replace(/\.gz$/, ""), bytes: plain }] : undefined;
}

/** Why an archive cannot be unpacked. */
export class UnpackError extends Error {}

function gunzip(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: UNPACKED_MAX });
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ERR_BUFFER_TOO_LARGE") throw new UnpackError("it holds more than a gigabyte");
    throw new UnpackError(code === "Z_BUF_ERROR" ? "it ends too early" : "its data is damaged");
  }
}

function isTar(bytes: Uint8Array): boolean {
  return bytes.length >= 512 && new TextDecoder("latin1").decode(bytes.subarray(257, 262)) === "ustar";
}

async function filesOf(name: string, bytes: Uint8Array): Promise<readonly PackedFile[]> {
  const files: Promise<PackedFile>[] = [];
  let damaged = false;
  const parser = new Parser({
    onReadEntry(entry: ReadEntry) {
      if (entry.type !== "File" && entry.type !== "OldFile") entry.resume();
      else
        files.push(
          entry.concat().then((content) => ({ name: `${name}/${entry.path}`, bytes: content as Uint8Array })),
        );
    },
    onwarn(code: string) {
      damaged ||= code !== "TAR_ENTRY_INFO";
    },
  });
  const done = new Promise<void>((resolve, reject) => {
    parser.on("end", resolve);
    parser.on("error", reject);
  });
  try {
    parser.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    await done;
  } catch {
    damaged = true;
  }
  if (damaged) throw new UnpackError("it is damaged, or ends too early");
  return await Promise.all(files);
}
