/** The lab in a guest whose kernel has IPVS: test/lab/vm.sh boots it, test/lab/job.sh asks it. */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KernelCase } from "./kernel-cases.js";
import type { LabAnswer, LabOptions } from "./kernel-lab.js";

const LAB = join(import.meta.dirname, "../lab");
const VM = join(LAB, "vm.sh");

/**
 * Why no guest can be booted here; undefined when one can. An image that is there is taken; LANDFALL_IPVS_VM=build makes one
 * (half a minute, from Debian packages), LANDFALL_IPVS_VM=off leaves it all.
 */
export function whyNoGuest(): string | undefined {
  const wish = process.env.LANDFALL_IPVS_VM;
  if (wish === "off") return "LANDFALL_IPVS_VM=off";
  const check = () => spawnSync("bash", [VM, "check"], { encoding: "utf8" });
  let { status, stdout, stderr, error } = check();
  if (status !== 0 && wish === "build") {
    const setup = spawnSync("bash", [VM, "setup"], { encoding: "utf8" });
    if (setup.status !== 0) return setup.stderr.trim().split("\n").at(-1) ?? "the image could not be made";
    ({ status, stdout, stderr, error } = check());
  }
  if (status === 0) return undefined;
  return `${error?.message ?? (stdout || stderr).trim()}; LANDFALL_IPVS_VM=build makes one first`;
}

/** What the guest's kernel does with the packets of some cases, in their order: one boot. */
export async function askGuest(
  cases: readonly KernelCase[],
  { backend, trace, patience = 20 }: LabOptions,
  seconds: number,
): Promise<readonly LabAnswer[]> {
  const shared = mkdtempSync(join(tmpdir(), "landfall-ipvs-"));
  try {
    cpSync(LAB, join(shared, "lab"), { recursive: true });
    writeFileSync(join(shared, "input.json"), JSON.stringify({ cases }));
    const words = ["--backend", backend, "--jobs", "2", "--patience", `${patience}`];
    const job = ["run", "-c", "2", "-t", `${seconds}`, join(LAB, "job.sh"), shared, ...words];
    const { status, said } = await run([VM, ...job, ...(trace ? ["--trace"] : [])]);
    if (status !== 0) throw new Error(`the guest ended with ${status}: ${said}`);
    return (JSON.parse(readFileSync(join(shared, "output.json"), "utf8")) as { cases: LabAnswer[] }).cases;
  } finally {
    rmSync(shared, { recursive: true, force: true });
  }
}

function run(words: readonly string[]): Promise<{ readonly status: number | null; readonly said: string }> {
  return new Promise((resolve, reject) => {
    const guest = spawn("bash", words, { stdio: ["ignore", "pipe", "pipe"] });
    const chunks: Buffer[] = [];
    guest.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    guest.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    guest.on("error", reject);
    guest.on("close", (status) => resolve({ status, said: Buffer.concat(chunks).toString("utf8") }));
  });
}
