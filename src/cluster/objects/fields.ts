/**
 * Schemas of the fields that several kinds share. What kube-proxy looks at is checked as the API server checks it; all
 * else may be anything. `null` counts as absent, as in the API.
 */
import * as z from "zod/mini";
import { readAddress, readNetwork } from "../../../grammar/address.js";

export const absent = <T extends z.ZodMiniType>(schema: T) => z.optional(z.nullable(schema));

export const text = absent(z.string());
export const flag = absent(z.boolean());
export const texts = absent(z.array(z.string()));
export const words = absent(z.record(z.string(), z.string()));
export const portNumber = z.int().check(z.gte(1), z.lte(65535));
/** A port for which 0 means none. */
export const portOrNone = absent(z.int().check(z.gte(0), z.lte(65535)));
export const protocol = absent(z.enum(["TCP", "UDP", "SCTP"]));

export const address = z
  .string()
  .check(z.refine((value) => readAddress(value) !== undefined, "is no IP address"));
export const cidr = z.string().check(z.refine(isCIDR, "is no CIDR such as 10.0.0.0/8"));

/** An address with a prefix length. */
export function isCIDR(value: string): boolean {
  return value.includes("/") && readNetwork(value) !== undefined;
}

/** `{ [key]: value }`, or nothing for null and undefined. */
export function present<K extends string, V>(key: K, value: V | null | undefined): { [P in K]?: V } {
  return value === null || value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}
