/** The schedulers of IPVS, one description each. */
import type { Scheduler } from "./schedulers/description.js";
import { dh } from "./schedulers/dh.js";
import { fo } from "./schedulers/fo.js";
import { lblc } from "./schedulers/lblc.js";
import { lblcr } from "./schedulers/lblcr.js";
import { lc } from "./schedulers/lc.js";
import { mh } from "./schedulers/mh.js";
import { nq } from "./schedulers/nq.js";
import { ovf } from "./schedulers/ovf.js";
import { rr } from "./schedulers/rr.js";
import { sed } from "./schedulers/sed.js";
import { sh } from "./schedulers/sh.js";
import { twos } from "./schedulers/twos.js";
import { wlc } from "./schedulers/wlc.js";
import { wrr } from "./schedulers/wrr.js";

/** All that the kernel has (6.1, and `twos` of kernels that are built with it). */
export const IPVS_SCHEDULERS: readonly Scheduler[] = [
  rr,
  wrr,
  lc,
  wlc,
  fo,
  ovf,
  lblc,
  lblcr,
  dh,
  sh,
  mh,
  sed,
  nq,
  twos,
];

const byName = new Map(IPVS_SCHEDULERS.map((scheduler) => [scheduler.name, scheduler]));

/** The scheduler of this name, or undefined. */
export function ipvsScheduler(name: string): Scheduler | undefined {
  return byName.get(name);
}
