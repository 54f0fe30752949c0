/** Addresses with ports, and numbers, as ipvsadm reads them. */
import { type Address, readIPv4, readIPv6 } from "../../grammar/address.js";
import { servicePort } from "../../grammar/services.js";

export interface Endpoint {
  readonly address: Address;
  /** Undefined: the text names none. */
  readonly port: number | undefined;
}

/** Why a text is no endpoint, and what to do about it. */
export interface NoEndpoint {
  readonly wrong: string;
  readonly help?: string;
}

/**
 * `address[:port]`, IPv6 in brackets when a port follows. Ports may be names of services where `portNames` says so. Names
 * of hosts are refused: only the node's own resolver knows them.
 */
export function readEndpoint(text: string, portNames: boolean): Endpoint | NoEndpoint {
  const parts = splitEndpoint(text);
  const address = parts === undefined ? undefined : (readIPv6(parts.host) ?? readLooseIPv4(parts.host));
  if (parts === undefined || address === undefined) return noAddress(text, parts?.host ?? text);
  if (parts.port === undefined) return { address, port: undefined };
  const port = readNumber(parts.port, 0, 65535) ?? (portNames ? servicePort(parts.port) : undefined);
  if (port !== undefined) return { address, port };
  const digits = /^[+-]?\d*$/.test(parts.port);
  return { wrong: digits ? `a port is a number from 0 to 65535` : `no service is named ${parts.port}` };
}

function splitEndpoint(
  text: string,
): { readonly host: string; readonly port: string | undefined } | undefined {
  if (text.startsWith("[")) {
    const end = text.indexOf("]");
    if (end < 0 || text[end + 1] !== ":") return undefined;
    const host = text.slice(1, end);
    // ipvsadm forgets the port of an IPv4 address in brackets.
    return { host, port: readIPv6(host) === undefined ? undefined : text.slice(end + 2) };
  }
  const colon = text.lastIndexOf(":");
  if (readIPv6(text) !== undefined || colon < 0)
    return /^\d*$/.test(text) ? undefined : { host: text, port: undefined };
  return { host: text.slice(0, colon), port: text.slice(colon + 1) };
}

function noAddress(text: string, host: string): NoEndpoint {
  if (text.startsWith("[")) {
    return { wrong: `${text} is no address with a port`, help: "IPv6 is written [address]:port" };
  }
  if (/^[0-9a-f:.]+$/i.test(text) && text.indexOf(":") !== text.lastIndexOf(":")) {
    return {
      wrong: `${text} is no address`,
      help: "an IPv6 address with a port stands in brackets: [fd00::1]:80",
    };
  }
  if (/^(?=.*[a-z])[\w.-]+$/i.test(host)) {
    return {
      wrong: `${host} is a name, and which address it has is not known here`,
      help: "print addresses as numbers: ipvsadm -Sn, or ipvsadm -Ln",
    };
  }
  return { wrong: `${text} is no address` };
}

/** As inet_aton(3) reads: also `10.1` for 10.0.0.1, and parts in octal or hexadecimal. */
export function readLooseIPv4(text: string): number | undefined {
  const strict = readIPv4(text);
  if (strict !== undefined) return strict;
  const parts = text.split(".", 5);
  if (parts.length > 4) return undefined;
  let value = 0;
  for (const [index, part] of parts.entries()) {
    const number = /^0x[0-9a-f]{1,8}$/i.test(part)
      ? Number(part)
      : /^0[0-7]{0,11}$/.test(part)
        ? Number.parseInt(part, 8)
        : /^[1-9]\d{0,9}$/.test(part)
          ? Number(part)
          : Number.NaN;
    // The last part fills all that is left of the 32 bits.
    const room = index === parts.length - 1 ? 256 ** (5 - parts.length) : 256;
    if (!(number < room)) return undefined;
    value = value * room + number;
  }
  return value;
}

/** A decimal number as strtol(3) reads it: a sign and leading zeros are fine. Undefined out of range. */
export function readNumber(text: string, min: number, max: number): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value + 0 : undefined;
}
