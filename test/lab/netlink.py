"""The few messages of nfnetlink that the lab needs: conntrack entries, accounting objects, reports of TRACE."""
import errno
import os
import socket
import struct

from packets import pack_ip


class LabError(Exception):
    """The kernel or a tool refused what the case asked for."""


class Netlink:
    """The few nfnetlink messages the lab needs."""

    def __init__(self):
        self.s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        self.s.bind((0, 0))
        self.seq = 1

    @staticmethod
    def attr(kind, data, nested=False):
        n = 4 + len(data)
        return struct.pack("=HH", n, kind | (0x8000 if nested else 0)) + data + b"\0" * (-n % 4)

    def request(self, subsys, msg, family, attrs=b"", flags=0, res_id=0):
        self.seq += 1
        body = struct.pack("!BBH", family, 0, res_id) + attrs
        self.s.send(struct.pack("=IHHII", 16 + len(body), subsys << 8 | msg, 0x1 | 0x4 | flags,
                                self.seq, 0) + body)
        while True:
            data = self.s.recv(65536)
            kind, seq = struct.unpack_from("=H", data, 4)[0], struct.unpack_from("=I", data, 8)[0]
            if kind == 2 and seq == self.seq:
                return -struct.unpack_from("=i", data, 16)[0]

    def flush_conntrack(self, family=0):
        return self.request(1, 2, family)

    def delete_conntrack(self, src, dst, proto, sport, dport, icmp=(8, 0)):
        a, b = pack_ip(src), pack_ip(dst)
        v6 = len(a) == 16
        ip = self.attr(3 if v6 else 1, a) + self.attr(4 if v6 else 2, b)
        l4 = self.attr(1, struct.pack("B", proto))
        if proto == 1:
            l4 += self.attr(4, struct.pack("!H", sport)) + self.attr(5, struct.pack("B", icmp[0]))
            l4 += self.attr(6, struct.pack("B", icmp[1]))
        elif proto == 58:
            l4 += self.attr(7, struct.pack("!H", sport)) + self.attr(8, struct.pack("B", icmp[0]))
            l4 += self.attr(9, struct.pack("B", icmp[1]))
        else:
            l4 += self.attr(2, struct.pack("!H", sport)) + self.attr(3, struct.pack("!H", dport))
        tup = self.attr(1, self.attr(1, ip, True) + self.attr(2, l4, True), True)
        return self.request(1, 2, socket.AF_INET6 if v6 else socket.AF_INET, tup)

    def create_nfacct(self, name):
        return self.request(7, 0, 0, self.attr(1, name.encode() + b"\0"), flags=0x400 | 0x200)


class Trace:
    """Listens to nfnetlink_log group 0, where TRACE reports go."""

    def __init__(self, family):
        af = socket.AF_INET6 if family == "ipv6" else socket.AF_INET
        with open("/proc/sys/net/netfilter/nf_log/%d" % af, "w") as f:
            f.write("nfnetlink_log")
        self.nl = Netlink()
        self.nl.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        a = Netlink.attr
        self.nl.request(4, 1, af, a(1, struct.pack("B", 3)))
        e = self.nl.request(4, 1, af, a(1, struct.pack("B", 1)), res_id=0)
        if e:
            raise LabError("cannot listen to nfnetlink_log: %s" % os.strerror(e))
        self.nl.request(4, 1, 0, a(2, struct.pack("!IBB", 0, 1, 0)) + a(5, struct.pack("!I", 1)))
        self.nl.s.setblocking(False)

    def drain(self):
        out = []
        while True:
            try:
                data = self.nl.s.recv(65536)
            except BlockingIOError:
                return out
            except OSError as e:
                if e.errno == errno.ENOBUFS:
                    out.append({"at": "…lost…"})
                    continue
                raise
            off = 0
            while off + 16 <= len(data):
                n, kind = struct.unpack_from("=IH", data, off)
                if kind == 4 << 8:
                    out.append(self.entry(data[off + 20:off + n]))
                off += (n + 3) & ~3

    @staticmethod
    def entry(data):
        got, off = {}, 0
        while off + 4 <= len(data):
            n, kind = struct.unpack_from("=HH", data, off)
            value = data[off + 4:off + n]
            if kind & 0x7FFF == 10:
                got["at"] = value.rstrip(b"\0").decode("utf8", "replace").strip()
                if got["at"].startswith("TRACE: "):
                    got["at"] = got["at"][7:]
            elif kind & 0x7FFF == 2:
                got["mark"] = struct.unpack("!I", value)[0]
            off += max(4, (n + 3) & ~3)
        return got
