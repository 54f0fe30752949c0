/**
 * A program that asks a real kernel, named by LANDFALL_KERNEL_LAB. It is started as `LAB run - --backend legacy|nft
 * --compact [--trace]`, reads `{"cases": [{name, rules, network, probes}]}` from standard input, and writes
 * `{"cases": [{name, results: [{id, repeat, outcomes}]} or {name, error}]}`. The forms of networks, probes and outcomes
 * are those of fixtures/kernel-packets; with `--trace` each outcome has its `path`, as in paths.json there.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ObservedStep } from "../evaluate/kernel.js";
import type { KernelCase } from "./kernel-cases.js";

export interface TracedStep extends ObservedStep {
  readonly path?: readonly string[];
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
}

const LAB = process.env.LANDFALL_KERNEL_LAB;

/** Why no kernel can be asked here; undefined when one can. */
export function whyNoKernel(): string | undefined {
  if (LAB === undefined) return "LANDFALL_KERNEL_LAB names no program that asks a kernel";
  const { status, stdout, stderr, error } = spawnSync(LAB, ["check"], { encoding: "utf8" });
  return status === 0 ? undefined : `${LAB}: ${error?.message ?? (stdout || stderr).trim()}`;
}

/** What a kernel does with the packets of some cases, in their order. */
export function askKernel(
  cases: readonly KernelCase[],
  { backend, trace }: LabOptions,
): Promise<readonly LabAnswer[]> {
  const words = ["run", "-", "--backend", backend, "--compact", ...(trace ? ["--trace"] : [])];
  return new Promise((resolve, reject) => {
    const lab = spawn(LAB ?? "", words, { stdio: ["pipe", "pipe", "inherit"] });
    const chunks: Buffer[] = [];
    lab.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    lab.on("error", reject);
    lab.on("close", () => {
      try {
        resolve((JSON.parse(Buffer.concat(chunks).toString("utf8")) as { cases: LabAnswer[] }).cases);
      } catch (error) {
        reject(error);
      }
    });
    lab.stdin.end(JSON.stringify({ cases }));
  });
}
