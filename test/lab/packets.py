"""IP packets: built from the fields that probes name, and taken apart again."""
import socket
import struct

PROTO = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "icmpv6": 58, "sctp": 132}
PROTO_NAME = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp", 132: "sctp"}
WITH_PORTS = (6, 17, 33, 132, 136)
TCP_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128}
# Extension headers of IPv6 that say nothing: options for each hop and for the receiver, a fragment that is all.
EXTENSIONS = {"hop": 0, "destination": 60, "fragment": 44}
INIT_TAG = 0x11223344


def checksum(data):
    if len(data) & 1:
        data += b"\0"
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    s = (s >> 16) + (s & 0xFFFF)
    return ~(s + (s >> 16)) & 0xFFFF


def crc32c(data):
    crc = 0xFFFFFFFF
    for b in data:
        crc ^= b
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


_packed = {}


def pack_ip(text):
    got = _packed.get(text)
    if got is None:
        got = _packed[text] = socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    return got


def unpack_ip(raw):
    return socket.inet_ntop(socket.AF_INET6 if len(raw) == 16 else socket.AF_INET, raw)


def proto_number(p):
    return PROTO[p] if p in PROTO else int(p)


def build(p):
    """An IP packet from a dict: src dst proto sport dport flags ttl tos length payload ..."""
    src, dst, proto = pack_ip(p["src"]), pack_ip(p["dst"]), proto_number(p["proto"])
    v6 = len(dst) == 16
    payload = p.get("payload", b"")
    if p.get("length"):
        payload += b"\0" * (p["length"] - len(build(dict(p, length=0))))

    def pseudo(n):
        return src + dst + (struct.pack("!II", n, proto) if v6 else struct.pack("!BBH", 0, proto, n))

    if p.get("raw") is not None:
        l4 = p["raw"]
    elif proto == 6:
        flags = sum(TCP_FLAGS[c] for c in p.get("flags", "S"))
        l4 = struct.pack("!HHIIBBHHH", p["sport"], p["dport"], p.get("seq", 1000), p.get("ack", 0),
                         0x50, flags, 64240, 0, 0) + payload
        c = checksum(pseudo(len(l4)) + l4)
        l4 = l4[:16] + struct.pack("!H", c) + l4[18:]
    elif proto in (17, 136):
        n = 8 + len(payload)
        l4 = struct.pack("!HHHH", p["sport"], p["dport"], n, 0) + payload
        l4 = l4[:6] + struct.pack("!H", checksum(pseudo(n) + l4) or 0xFFFF) + payload
    elif proto in (1, 58):
        t = p.get("icmpType", 128 if v6 else 8)
        l4 = struct.pack("!BBHHH", t, p.get("icmpCode", 0), 0, p.get("sport", 0) or 0, 1) + payload
        c = checksum(pseudo(len(l4)) + l4 if proto == 58 else l4)
        l4 = l4[:2] + struct.pack("!H", c) + l4[4:]
    elif proto == 132:
        # INIT, or the INIT ACK that answers one
        chunk = struct.pack("!BBHIIHHI", 2 if p.get("answers") else 1, 0, 20, INIT_TAG, 65535, 1, 1, 1)
        tag = INIT_TAG if p.get("answers") else 0
        l4 = struct.pack("!HHII", p["sport"], p["dport"], tag, 0) + chunk + payload
        l4 = l4[:8] + struct.pack("<I", crc32c(l4)) + l4[12:]
    else:
        l4 = payload or b"\0" * 8
    ttl, tos = p.get("ttl", 64), p.get("tos", 0)
    if v6:
        kinds = [EXTENSIONS[name] for name in p.get("extensions", [])]
        chain = b""
        for kind, after in zip(kinds, kinds[1:] + [proto]):
            if kind == 44:
                chain += struct.pack("!BBHI", after, 0, 0, 0x1234)
            else:
                chain += struct.pack("!BBBBI", after, 0, 1, 4, 0)
        head = (kinds + [proto])[0]
        return struct.pack("!IHBB", 6 << 28 | tos << 20, len(chain + l4), head, ttl) + src + dst + chain + l4
    frag = {None: 0x4000, "first": 0x2000, "later": 0x0010}[p.get("frag")]
    head = struct.pack("!BBHHHBBH", 0x45, tos, 20 + len(l4), p.get("ipid", 0x1234), frag,
                       ttl, proto, 0) + src + dst
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + l4


def parse(pkt, inner=False):
    """The fields of an IP packet that outcomes tell; None for what is none."""
    if len(pkt) < 20:
        return None
    version = pkt[0] >> 4
    if version == 4:
        ihl = (pkt[0] & 15) * 4
        proto, ttl = pkt[9], pkt[8]
        out = {"src": unpack_ip(pkt[12:16]), "dst": unpack_ip(pkt[16:20])}
        l4 = pkt[ihl:]
        if struct.unpack("!H", pkt[6:8])[0] & 0x1FFF:
            return dict(out, ttl=ttl, proto=PROTO_NAME.get(proto, str(proto)))
    elif version == 6 and len(pkt) >= 40:
        proto, ttl = pkt[6], pkt[7]
        out = {"src": unpack_ip(pkt[8:24]), "dst": unpack_ip(pkt[24:40])}
        l4 = pkt[40:]
        while proto in EXTENSIONS.values() and len(l4) >= 8:
            proto, l4 = l4[0], l4[8 if proto == 44 else 8 + 8 * l4[1]:]
    else:
        return None
    out["ttl"] = ttl
    parse_l4(out, proto, l4, inner)
    return out


def parse_l4(out, proto, l4, inner=False):
    out["proto"] = PROTO_NAME.get(proto, str(proto))
    if proto in WITH_PORTS and len(l4) >= 4:
        out["sport"], out["dport"] = struct.unpack("!HH", l4[:4])
        if proto == 6 and len(l4) >= 14:
            out["flags"] = "".join(c for c, b in TCP_FLAGS.items() if l4[13] & b)
            out["seq"], out["ack"] = struct.unpack("!II", l4[4:12])
    elif proto in (1, 58) and len(l4) >= 8:
        out["icmpType"], out["icmpCode"] = l4[0], l4[1]
        error = l4[0] in (3, 4, 5, 11, 12) if proto == 1 else l4[0] < 128
        if error:
            if not inner:
                out["inner"] = parse(l4[8:], inner=True)
        else:
            out["sport"] = struct.unpack("!H", l4[4:6])[0]


ICMP4 = {(3, 0): "icmp-net-unreachable", (3, 1): "icmp-host-unreachable", (3, 2): "icmp-proto-unreachable",
         (3, 3): "icmp-port-unreachable", (3, 9): "icmp-net-prohibited", (3, 10): "icmp-host-prohibited",
         (3, 13): "icmp-admin-prohibited", (3, 4): "icmp-fragmentation-needed", (11, 0): "icmp-ttl-exceeded"}
ICMP6 = {(1, 0): "icmp6-no-route", (1, 1): "icmp6-adm-prohibited", (1, 3): "icmp6-addr-unreachable",
         (1, 4): "icmp6-port-unreachable", (1, 5): "icmp6-policy-fail", (1, 6): "icmp6-reject-route",
         (3, 0): "icmp6-hop-limit-exceeded", (2, 0): "icmp6-packet-too-big"}


def icmp_name(p):
    table = ICMP6 if p["proto"] == "ipv6-icmp" else ICMP4
    return table.get((p["icmpType"], p["icmpCode"]), "icmp-%d-%d" % (p["icmpType"], p["icmpCode"]))
