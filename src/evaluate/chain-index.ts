/**
 * Which rules of a long chain a packet can match: an index over what their conditions want of the protocol, the
 * destination and its port. A chain of ten thousand services is then walked in a few steps. It knows conditions only,
 * no chain and no extension by name, and leaves out no rule that the plain walk would find true or that has effects.
 */
import { type Address, type Family, printAddress } from "../../grammar/address.js";
import type { Condition } from "../../grammar/meaning.js";
import { PORT_PROTOCOLS } from "../../grammar/protocols.js";
import { meaningOf } from "../state/meaning.js";
import type { Rule } from "../state/rules.js";
import type { LivePacket, World } from "./world.js";

/** Shorter chains are walked rule by rule. */
const INDEXED_FROM = 16;

const FIELDS = ["protocol", "destination", "destinationPort"] as const;

type Field = (typeof FIELDS)[number];

/** Rules that want exact values of the same fields. */
interface Shape {
  readonly fields: readonly Field[];
  /** By the values, in the order of `fields`: positions of rules, ascending. */
  readonly byValues: ReadonlyMap<string, readonly number[]>;
  readonly all: readonly number[];
}

const indexes = new WeakMap<readonly Rule[], readonly Shape[]>();

/** The first position from `from` on of a rule that some of the worlds may match; the number of rules for none. */
export function nextRule(
  rules: readonly Rule[],
  family: Family,
  worlds: readonly World[],
  from: number,
): number {
  if (rules.length < INDEXED_FROM) return from;
  let shapes = indexes.get(rules);
  if (shapes === undefined) {
    shapes = shapesOf(rules, family);
    indexes.set(rules, shapes);
  }
  let first = rules.length;
  for (const shape of shapes) {
    for (const { packet } of worlds) {
      const positions = wanting(shape, packet);
      const position = positions[firstFrom(positions, from)];
      if (position !== undefined && position < first) first = position;
    }
  }
  return first;
}

/** Rules of the shape that the packet's values do not rule out. */
function wanting({ fields, byValues, all }: Shape, packet: LivePacket): readonly number[] {
  let key = "";
  for (const field of fields) {
    if (field === "destinationPort" && !PORT_PROTOCOLS.includes(packet.protocol)) return [];
    const value = packet[field];
    if (value === undefined || value === null) return all;
    key += part(value);
  }
  return byValues.get(key) ?? [];
}

function shapesOf(rules: readonly Rule[], family: Family): readonly Shape[] {
  const shapes = new Map<
    string,
    { fields: readonly Field[]; byValues: Map<string, number[]>; all: number[] }
  >();
  for (const [position, rule] of rules.entries()) {
    const wanted = wantedBy(rule, family);
    const fields = FIELDS.filter((field) => wanted.has(field));
    const name = fields.join(" ");
    const shape = shapes.get(name) ?? { fields, byValues: new Map<string, number[]>(), all: [] };
    shapes.set(name, shape);
    shape.all.push(position);
    const key = fields.map((field) => part(wanted.get(field) ?? 0)).join("");
    const same = shape.byValues.get(key);
    if (same === undefined) shape.byValues.set(key, [position]);
    else same.push(position);
  }
  return [...shapes.values()];
}

function part(value: Address): string {
  return `${typeof value === "bigint" ? printAddress(value) : value} `;
}

/** The exact values without which the rule neither holds nor does anything. */
function wantedBy(rule: Rule, family: Family): ReadonlyMap<Field, Address> {
  const wanted = new Map<Field, Address>();
  for (const { condition, effect } of meaningOf(rule, family).matches) {
    if (effect !== undefined || !collect(condition, wanted)) break;
  }
  return wanted;
}

/** Adds what the condition wants; false: it counts packets, so that those which get there must be let through. */
function collect(condition: Condition, wanted: Map<Field, Address>): boolean {
  if (condition.kind === "all") return condition.of.every((one) => collect(one, wanted));
  if (condition.kind === "within") {
    const [range] = condition.ranges;
    const field = FIELDS.find((one) => one === condition.field);
    if (field !== undefined && condition.ranges.length === 1 && range?.from === range?.to && range)
      wanted.set(field, range.from);
  }
  return !counts(condition);
}

/** Whether asking changes what the node remembers. */
function counts(condition: Condition): boolean {
  switch (condition.kind) {
    case "counted":
    case "member":
      return true;
    case "hidden":
      return condition.bucket !== undefined || condition.counts !== undefined;
    case "not":
      return counts(condition.of);
    case "all":
    case "any":
      return condition.of.some(counts);
    default:
      return false;
  }
}

/** Index of the first number that is not below `least`. */
function firstFrom(ascending: readonly number[], least: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
