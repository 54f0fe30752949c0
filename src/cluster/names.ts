/**
 * Names that kube-proxy makes: service port names, and chain names with their hashes. Source: kube-proxy's iptables
 * proxier; the hash is the first 16 characters of the base32 (RFC 4648) of a SHA-256.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";

/** `namespace/name`, with `:port` when the port has a name. */
export function servicePortName(namespace: string, name: string, port: string): string {
  return port === "" ? `${namespace}/${name}` : `${namespace}/${name}:${port}`;
}

/** Prefixes of the chains of a service port. `XLB` is what kube-proxy up to 1.23 wrote. */
export type ServiceChainPrefix = "KUBE-SVC-" | "KUBE-SVL-" | "KUBE-EXT-" | "KUBE-FW-" | "KUBE-XLB-";

/** The chain of a service port; `protocol` in any case. All prefixes share one hash. */
export function serviceChain(prefix: ServiceChainPrefix, portName: string, protocol: string): string {
  return prefix + chainHash(portName + protocol.toLowerCase());
}

/** The chain of one endpoint of a service port; `endpoint` is `ip:port` or `[ip]:port` as kube-proxy writes it. */
export function endpointChain(portName: string, protocol: string, endpoint: string): string {
  return `KUBE-SEP-${chainHash(portName + protocol.toLowerCase() + endpoint)}`;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** 16 characters of base32 are the first 10 bytes of the hash. */
export function chainHash(text: string): string {
  const bytes = sha256(utf8ToBytes(text));
  let hash = "";
  let bits = 0;
  let pending = 0;
  for (const byte of bytes.subarray(0, 10)) {
    pending = ((pending << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      hash += ALPHABET[(pending >> bits) & 31];
    }
  }
  return hash;
}
