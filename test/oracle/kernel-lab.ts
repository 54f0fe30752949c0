/**
 * Asks a real kernel, by the program in test/lab. The forms of networks, probes and outcomes are those of
 * fixtures/kernel-packets; with `trace` each outcome has its `path`, as in paths.json there.
 */
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Family } from "../../grammar/address.js";
import type { ObservedStep } from "../evaluate/kernel.js";
import type { KernelCase } from "./kernel-cases.js";

export interface TracedStep extends ObservedStep {
  readonly path?: readonly string[];
  /** On a node with virtual servers: the entry that IPVS has of the packet's connection, and that of connection tracking. */
  readonly served?: { readonly address: string; readonly port: number; readonly state: string };
  readonly entry?: string;
}

export interface LabAnswer {
  readonly name: string;
  /** The tools refused the rules or the network. */
  readonly error?: string;
  readonly results?: readonly {
    readonly id: string;
    readonly repeat: number;
    readonly outcomes: readonly { readonly count: number; readonly steps: readonly (TracedStep | null)[] }[];
  }[];
}

export interface LabOptions {
  readonly backend: "legacy" | "nft";
  readonly trace: boolean;
  /** Milliseconds to wait for what a busy machine may still deliver; 1 by default. */
  readonly patience?: number;
}

/** `-B`: no compiled files in the tree. */
const LAB = ["-B", join(import.meta.dirname, "../lab/lab.py")];

/** Why no kernel can be asked here; undefined when one can. */
export function whyNoKernel(
  backend: LabOptions["backend"] = "legacy",
  family: Family = "ipv4",
): string | undefined {
  const words = ["check", "--backend", backend, "--family", family];
  const { status, stdout, stderr, error } = spawnSync("python3", [...LAB, ...words], { encoding: "utf8" });
  if (status === 0) return undefined;
  return error?.message ?? (stdout.trim().replace(/^skipped: /, "") || stderr.trim());
}

/** What a kernel does with the packets of some cases, in their order. */
export function askKernel(
  cases: readonly KernelCase[],
  { backend, trace, patience = 1 }: LabOptions,
): Promise<readonly LabAnswer[]> {
  const words = ["run", "-", "--backend", backend, "--jobs", "2", "--patience", `${patience}`];
  return new Promise((resolve, reject) => {
    const lab = spawn("python3", [...LAB, ...words, ...(trace ? ["--trace"] : [])], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const chunks: Buffer[] = [];
    lab.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    lab.on("error", reject);
    lab.on("close", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      try {
        resolve((JSON.parse(text) as { cases: LabAnswer[] }).cases);
      } catch {
        reject(new Error(`the lab said: ${text}`));
      }
    });
    lab.stdin.end(JSON.stringify({ cases }));
  });
}
