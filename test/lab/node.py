"""A node in a network namespace: its interfaces, routes and rules, and the packets that go through."""
import ctypes
import errno
import fcntl
import os
import re
import select
import socket
import struct
import subprocess
import time

from netlink import LabError, Netlink, Trace
from packets import PROTO_NAME, WITH_PORTS, build, checksum, icmp_name, pack_ip, parse, parse_l4, proto_number, unpack_ip

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_TAP, IFF_NO_PI = 0x0001, 0x0002, 0x1000
FIRST_PORT, LAST_PORT = 20000, 60999
FLUSH_EVERY = 20000  # conntrack entries that we let pile up


def search_path():
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin"


def environment():
    return dict(os.environ, PATH=search_path(), LC_ALL="C")


def restore_command(backend, family):
    tool = "ip6tables" if family == "ipv6" else "iptables"
    return {"legacy": tool + "-legacy-restore", "nft": tool + "-nft-restore"}[backend]


def sysctl(name, value, must=False):
    path = "/proc/sys/" + name.replace("/", "\0").replace(".", "/").replace("\0", ".")
    try:
        with open(path, "w") as f:
            f.write(str(value))
    except OSError as e:
        if must:
            raise LabError("sysctl %s=%s: %s" % (name, value, e.strerror))


def command(argv, text=None):
    r = subprocess.run(argv, input=None if text is None else text.encode("utf8", "surrogateescape"),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    out, err = (x.decode("utf8", "surrogateescape") for x in (r.stdout, r.stderr))
    if r.returncode:
        raise LabError("%s: %s" % (" ".join(argv), err.strip() or "status %d" % r.returncode))
    return out


class Node:
    """A node in the network namespace that this process is in (and alone in)."""

    def __init__(self, network, rules="", backend="legacy", trace=False, patience=1):
        self.family = network.get("family", "ipv4")
        self.v6 = self.family == "ipv6"
        self.backend = backend
        self.patience = patience  # milliseconds to wait for what passes a queue of the kernel
        self.fds = {}      # interface -> fd
        self.tap = {}      # bridge port -> {"bridge": name, "mac": ..., ...}
        self.host_mac = {}
        self.poll = select.poll()
        self.by_fd = {}
        self.senders = {}
        self.sources = {}
        self.port = FIRST_PORT
        self.since_flush = 0
        self.nl = Netlink()
        self.trace = None
        self.index = {}
        self.set_defaults(network)
        self.make_interfaces(network)
        self.listen(network)
        self.load(network, rules)
        self.has_raw = re.search(r"^\*raw$", rules or "", re.M) is not None
        if trace:
            self.start_trace()
        self.open_raw()

    # building

    def set_defaults(self, network):
        for s in ("all", "default"):
            sysctl("net.ipv4.conf.%s.rp_filter" % s, 0)
            sysctl("net.ipv4.conf.%s.send_redirects" % s, 0)
            sysctl("net.ipv4.conf.%s.log_martians" % s, 0)
            sysctl("net.ipv6.conf.%s.accept_dad" % s, 0)
            sysctl("net.ipv6.conf.%s.router_solicitations" % s, 0)
            sysctl("net.ipv6.conf.%s.addr_gen_mode" % s, 1)
            if not self.v6:
                sysctl("net.ipv6.conf.%s.disable_ipv6" % s, 1)
        sysctl("net.ipv4.ip_forward", 1)
        sysctl("net.ipv4.icmp_ratelimit", 0)
        sysctl("net.ipv4.icmp_ratemask", 0)
        sysctl("net.ipv4.icmp_msgs_per_sec", 10000000)
        sysctl("net.ipv4.icmp_msgs_burst", 10000000)
        sysctl("net.ipv4.tcp_challenge_ack_limit", 2147483647)
        sysctl("net.ipv6.icmp.ratelimit", 0)
        if self.v6:
            sysctl("net.ipv6.conf.all.forwarding", 1)
            sysctl("net.ipv6.conf.default.forwarding", 1)
        for name, value in (network.get("sysctls") or {}).items():
            sysctl(name, value)

    def make_interfaces(self, network):
        batch = ["link set lo up"]
        post = []
        for i in network.get("interfaces") or []:
            name, kind = i["name"], i.get("kind", "tun")
            if name == "lo":
                pass
            elif kind == "dummy":
                batch.append("link add %s type dummy" % name)
            elif kind == "bridge":
                batch.append("link add %s type bridge stp_state 0" % name)
                batch.append("link set %s address %s" % (name, "02:00:00:00:00:01"))
                for port in i.get("ports") or []:
                    self.add_tun(port["name"], IFF_TAP)
                    self.tap[port["name"]] = {"bridge": name, "hosts": port.get("hosts") or []}
                    batch.append("link set %s master %s up" % (port["name"], name))
                    batch.append("link set %s type bridge_slave hairpin %s learning off"
                                 % (port["name"], "on" if port.get("hairpin") else "off"))
                    for h in port.get("hosts") or []:
                        raw = pack_ip(h)
                        mac = "02:%02x:" % (len(raw)) + ":".join("%02x" % b for b in raw[-4:])
                        self.host_mac[h] = (bytes(int(x, 16) for x in mac.split(":")), name)
                        post.append("neigh replace %s lladdr %s dev %s nud permanent" % (h, mac, name))
                        self.tap[port["name"]].setdefault("fdb", []).append(mac)
            else:
                self.add_tun(name, IFF_TUN)
            if i.get("mtu"):
                batch.append("link set %s mtu %d" % (name, i["mtu"]))
            if name != "lo":
                batch.append("link set %s %s" % (name, "up" if i.get("up", kind != "dummy") else "down"))
            for a in i.get("addresses") or []:
                batch.append("addr add %s dev %s%s" % (a, name, " nodad" if ":" in a else ""))
        for r in network.get("routes") or []:
            line = "route add"
            if r.get("type"):
                line += " " + r["type"]
            line += " " + str(r["to"])
            for key in ("via", "dev", "src", "metric", "table", "scope", "proto"):
                if r.get(key) is not None:
                    line += " %s %s" % (key, r[key])
            if r.get("onlink"):
                line += " onlink"
            post.append(line)
        for r in network.get("rules") or []:
            post.append("rule add " + r)
        for lines, fam in ((batch, []), (post, ["-6"] if self.v6 else [])):
            if lines:
                command(["ip"] + fam + ["-batch", "-"], "\n".join(lines) + "\n")
        for port, t in self.tap.items():
            for mac in t.get("fdb", []):
                command(["bridge", "fdb", "replace", mac, "dev", port, "master", "static"])
        for i, n in socket.if_nameindex():
            self.index[i] = n
        for name, value in (network.get("sysctls") or {}).items():
            sysctl(name, value, must=True)

    def add_tun(self, name, kind):
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), kind | IFF_NO_PI))
        except OSError as e:
            raise LabError("interface %s: %s" % (name, e.strerror))
        self.fds[name] = fd
        self.by_fd[fd] = name
        self.poll.register(fd, select.POLLIN)

    def listen(self, network):
        self.listeners = []
        for l in network.get("listen") or []:
            fam = socket.AF_INET6 if ":" in l.get("address", "") else socket.AF_INET
            s = socket.socket(fam, socket.SOCK_STREAM if l["proto"] == "tcp" else socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if l.get("transparent"):
                s.setsockopt(socket.SOL_IP, 19, 1)
            s.bind((l.get("address", "0.0.0.0"), l["port"]))
            if l["proto"] == "tcp":
                s.listen(4096)
            self.listeners.append(s)

    def load(self, network, rules):
        if network.get("ipset"):
            command(["ipset", "restore", "-exist"], network["ipset"])
        self.ipvs = network.get("ipvs")
        if self.ipvs:
            command(["ipvsadm", "-R"], self.ipvs)
        for name in sorted(set(re.findall(r"--nfacct-name\s+\"?([^\s\"]+)", rules or ""))):
            self.nl.create_nfacct(name)
        if rules:
            command([restore_command(self.backend, self.family)], rules)

    def restore(self, text):
        command([restore_command(self.backend, self.family), "--noflush"], text)

    def start_trace(self):
        if self.backend != "legacy":
            raise LabError("--trace works with the legacy back end only")
        self.trace = Trace(self.family)
        tool = restore_command("legacy", self.family).replace("-restore", "")
        for chain in ("PREROUTING", "OUTPUT"):
            command([tool, "-t", "raw", "-I", chain, "1", "-j", "TRACE"])

    def open_raw(self):
        self.raw = {}
        fam = socket.AF_INET6 if self.v6 else socket.AF_INET
        for proto in (6, 17, 58 if self.v6 else 1, 132):
            s = socket.socket(fam, socket.SOCK_RAW, proto)
            s.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
            if self.v6:
                s.setsockopt(socket.IPPROTO_IPV6, 49, 1)  # IPV6_RECVPKTINFO
            else:
                s.setsockopt(socket.SOL_IP, 8, 1)         # IP_PKTINFO
            s.setblocking(False)
            self.raw[s.fileno()] = (s, proto)
            self.poll.register(s.fileno(), select.POLLIN)

    def recent_lists(self):
        base = "/proc/self/net/" + ("xt_recent" if os.path.isdir("/proc/self/net/xt_recent") else "ipt_recent")
        return [os.path.join(base, n) for n in os.listdir(base)] if os.path.isdir(base) else []

    # state

    def flush(self, what):
        if what == "conntrack":
            self.nl.flush_conntrack()
            self.since_flush = 0
        elif what == "recent":
            for path in self.recent_lists():
                with open(path, "w") as f:
                    f.write("/")
        else:
            raise LabError("cannot flush %s" % what)

    def fresh_port(self):
        self.port += 1
        if self.port > LAST_PORT:
            self.port = FIRST_PORT
            self.flush("conntrack")
        self.since_flush += 1
        if self.since_flush > FLUSH_EVERY:
            self.flush("conntrack")
        return self.port

    # sending and receiving

    def source_for(self, dst, mark):
        got = self.sources.get((dst, mark))
        if got is None:
            s = socket.socket(socket.AF_INET6 if self.v6 else socket.AF_INET, socket.SOCK_DGRAM)
            try:
                if mark:
                    s.setsockopt(socket.SOL_SOCKET, 36, mark)  # SO_MARK
                s.connect((dst, 9))
                got = s.getsockname()[0]
            finally:
                s.close()
            self.sources[dst, mark] = got
        return got

    def sender(self, src, mark, uid, gid):
        key = (src, mark, uid, gid)
        got = self.senders.get(key)
        if got is None:
            libc = ctypes.CDLL(None)
            if gid:
                libc.setfsgid(gid)
            if uid:
                libc.setfsuid(uid)
            got = socket.socket(socket.AF_INET6 if self.v6 else socket.AF_INET, socket.SOCK_RAW,
                                socket.IPPROTO_RAW)
            if uid:
                libc.setfsuid(0)
            if gid:
                libc.setfsgid(0)
            if mark:
                got.setsockopt(socket.SOL_SOCKET, 36, mark)  # SO_MARK
            if src:
                try:
                    got.bind((src, 0))
                except OSError:
                    pass  # not an address of this node: sent all the same, header says so
            self.senders[key] = got
        return got

    def send(self, where, p):
        """Put one packet on its way. Returns None or the name of an errno."""
        if where == "local":
            explicit = p.get("src")
            try:
                if not explicit:
                    p["src"] = self.source_for(p["dst"], p.get("mark", 0))
                sender = self.sender(explicit, p.get("mark", 0), p.get("uid", 0), p.get("gid", 0))
                sender.sendto(build(p), (p["dst"], 0))
            except OSError as e:
                return errno.errorcode.get(e.errno, str(e.errno))
            return None
        fd = self.fds.get(where)
        if fd is None:
            raise LabError("no interface %s to send by" % where)
        pkt = build(p)
        tap = self.tap.get(where)
        if tap:
            src = self.host_mac.get(p["src"], (b"\x02\xff\0\0\0\1", None))[0]
            if p.get("mac"):
                src = bytes(int(x, 16) for x in p["mac"].split(":"))
            dst, bridge = self.host_mac.get(p["dst"], (None, None))
            if dst is None or bridge != tap["bridge"] or p.get("l2") == "bridge":
                dst = b"\x02\0\0\0\0\x01"
            pkt = dst + src + (b"\x86\xdd" if self.v6 else b"\x08\0") + pkt
        try:
            os.write(fd, pkt)
        except OSError as e:
            return errno.errorcode.get(e.errno, str(e.errno))
        return None

    def collect(self, wait=0):
        """All packets that came out since the last call: (where, 'out'|'local', dict)."""
        got = []
        while True:
            ready = self.poll.poll(0 if got else wait)
            if not ready:
                return got
            for fd, _ in ready:
                name = self.by_fd.get(fd)
                if name is not None:
                    try:
                        data = os.read(fd, 65536)
                    except BlockingIOError:
                        continue
                    if name in self.tap:
                        if data[12:14] not in (b"\x08\0", b"\x86\xdd"):
                            continue
                        data = data[14:]
                    p = parse(data)
                    if p and not self.noise(p):
                        p["raw"] = data
                        got.append((name, "out", p))
                else:
                    s, proto = self.raw[fd]
                    data, anc, _, addr = s.recvmsg(65536, 256)
                    iface = "?"
                    if self.v6:
                        p = {"src": addr[0].split("%")[0], "ttl": None}
                        for level, kind, value in anc:
                            if level == socket.IPPROTO_IPV6 and kind == 50:
                                p["dst"] = unpack_ip(value[:16])
                                iface = self.index.get(struct.unpack("=I", value[16:20])[0], "?")
                        parse_l4(p, proto, data)
                    else:
                        p = parse(data)
                        for level, kind, value in anc:
                            if level == socket.SOL_IP and kind == 8:
                                iface = self.index.get(struct.unpack("=i", value[:4])[0], "?")
                    if p and not self.noise(p):
                        p["raw"] = data
                        got.append((iface, "local", p))

    @staticmethod
    def noise(p):
        return p["proto"] == "ipv6-icmp" and p.get("icmpType") in (130, 131, 132, 133, 134, 135, 136, 137, 143) \
            or p["proto"] in ("0", "2")  # neighbour discovery, MLD, IGMP of the node itself

    # one probe

    def probe(self, spec, keep=()):
        """Send one packet, return (outcome, packet sent, packet seen)."""
        p = {k: v for k, v in spec.items() if k not in ("id", "repeat", "keep", "in", "again", "expect", "note")}
        where = spec.get("in", "local")
        proto = proto_number(p.setdefault("proto", "tcp"))
        if isinstance(p.get("mark"), str):
            p["mark"] = int(p["mark"], 0)
        if isinstance(p.get("payload"), str):
            p["payload"] = bytes.fromhex(p["payload"])
        if proto in WITH_PORTS and p.get("dport") is None:
            raise LabError("probe without dport")
        if p.get("sport") is None:
            p["sport"] = self.fresh_port()
        elif "conntrack" not in keep and p.get("src"):
            self.nl.delete_conntrack(p["src"], p["dst"], proto, p["sport"], p.get("dport") or 0,
                                     (p.get("icmpType", 128 if self.v6 else 8), p.get("icmpCode", 0)))
        failed = self.send(where, p)
        got = self.collect()
        if not got and (where == "local" or self.tap):
            got = self.collect(self.patience)
        outcome, seen = self.judge(where, p, failed, got)
        if self.ipvs:
            outcome.update(self.tables(p))
        if self.trace:
            outcome.update(self.paths(where, self.trace.drain(), self.has_raw))
        return outcome, p, seen

    @staticmethod
    def tables(p):
        """What the tables of IPVS and of connection tracking hold of a packet's connection, as it was begun."""
        sport, dport, found = p.get("sport"), p.get("dport"), {}
        if dport is None or not p.get("src"):
            return found
        name = PROTO_NAME.get(proto_number(p["proto"]), "")
        first = (name.upper(), pack_ip(p["src"]), sport, pack_ip(p["dst"]), dport)
        with open("/proc/self/net/ip_vs_conn") as f:
            for line in f.readlines()[1:]:
                words = line.split()
                ends = [pack_ip(w) if ":" in w else bytes.fromhex(w) for w in (words[1], words[3], words[5])]
                ports = [int(w, 16) for w in (words[2], words[4], words[6])]
                # One that has just ended may still be there, behind the one in its place.
                if (words[0], ends[0], ports[0], ends[1], ports[1]) == first and "served" not in found:
                    found["served"] = {"address": unpack_ip(ends[2]), "port": ports[2], "state": words[7]}
        with open("/proc/self/net/nf_conntrack") as f:
            for line in f:
                ends = dict((k, v) for k, v in reversed([w.split("=", 1) for w in line.split() if "=" in w]))
                if name in line.split()[:3] and (pack_ip(ends["src"]), ends.get("sport"), pack_ip(ends["dst"]),
                                                 ends.get("dport")) == (first[1], str(sport), first[3], str(dport)):
                    found["entry"] = re.sub(r"^\S+ +\d+ (\S+) +\d+ \d+", r"\1", line.strip())
        return found

    @staticmethod
    def paths(where, entries, has_raw):
        """The rules visited, with the numbers they have in the dump, and those of a local answer."""
        path, answer, outputs, last = [], [], 0, ""
        for e in entries:
            table, chain, kind, number = (e["at"].split(":") + [""] * 4)[:4]
            here = table + ":" + chain
            if here in ("raw:PREROUTING", "raw:OUTPUT"):
                if here == "raw:OUTPUT" and last != here:
                    outputs += 1
                last = here
                if number == "1" or not has_raw:
                    continue  # the TRACE rule, or the raw table, that the lab put there
                e["at"] = "%s:%s:%d" % (here, kind, int(number) - 1)
            last = here
            text = e["at"] + (" mark=%#x" % e["mark"] if e.get("mark") else "")
            (answer if outputs > (where == "local") else path).append(text)
        return {"path": path, "answerPath": answer} if answer else {"path": path}

    @staticmethod
    def quotes(inner, p):
        """Is this what an ICMP error about the packet p would quote?"""
        if not inner or p.get("raw") or inner["src"] != p.get("src") or inner["dst"] != p["dst"]:
            return False
        n = proto_number(p["proto"])
        if inner["proto"] != PROTO_NAME.get(n, str(n)):
            return False
        if n in (1, 58):
            return inner.get("sport") == p.get("sport")
        return n not in WITH_PORTS or \
            (inner.get("sport"), inner.get("dport")) == (p.get("sport"), p.get("dport"))

    def judge(self, where, p, failed, got):
        """Sort what came out into one outcome."""
        local, out, reject = [], [], []
        for at, side, q in got:
            if self.quotes(q.get("inner"), p):
                reject.append((at, q))
            elif "R" in q.get("flags", "") and q["src"] == p["dst"] and q["dst"] == p.get("src") and \
                    q["sport"] == p.get("dport") and q["dport"] == p.get("sport"):
                reject.append((at, q))
            else:
                (local if side == "local" else out).append((at, q))
        answer = None
        if reject:
            q = reject[0][1]
            answer = {"with": icmp_name(q) if "inner" in q else "tcp-reset", "from": q["src"]}
        if local:
            at, q = local[0]
            # IP_PKTINFO names the interface of the first route lookup, not lo, for a node's own packets
            outcome = self.describe("local", "in", "lo" if where == "local" else at, p, q)
            if answer:
                outcome["answer"] = answer["with"]
            elif len(local) > 1 or out:
                other = (local[1:] + out)[0][1]
                outcome["answer"] = icmp_name(other) if "inner" in other else \
                    "tcp-" + other["flags"] if "flags" in other else other["proto"]
            return outcome, (at, "local", q)
        if out:
            at, q = out[0]
            outcome = self.describe("forward", "out", at, p, q)
            if len(out) > 1:
                outcome["copies"] = [self.describe("forward", "out", a, p, b) for a, b in out[1:]]
            return outcome, (at, "out", q)
        if answer:
            return dict(verdict="reject", **answer), (reject[0][0], "out", reject[0][1])
        if failed and failed != "EPERM":
            return {"verdict": "error", "errno": failed}, None
        return {"verdict": "drop"}, None

    @staticmethod
    def describe(verdict, way, at, p, q):
        o = {"verdict": verdict, way: at, "src": q["src"], "dst": q["dst"]}
        if q["proto"] != PROTO_NAME.get(proto_number(p["proto"]), str(p["proto"])):
            o["proto"] = q["proto"]
        if "dport" in q:
            o["dport"] = q["dport"]
        if "sport" in q:
            if q["sport"] == p.get("sport"):
                o["sport"] = "kept"
            else:
                o["sport"] = "changed"
        if "inner" in q:
            o["icmp"] = icmp_name(q)
            i = q["inner"]
            if i:
                o["inner"] = {k: i[k] for k in ("src", "sport", "dst", "dport") if k in i}
        elif "icmpType" in q:
            o["icmp"] = "%d/%d" % (q["icmpType"], q["icmpCode"])
        return o

    def steps(self, steps):
        """A conversation. Returns the list of outcomes (None for steps that send nothing)."""
        out, sent, seen, client = [], [], None, None
        for st in steps:
            o, p = None, None
            if "sleep" in st:
                time.sleep(float(st["sleep"]))
            elif "flush" in st:
                self.flush(st["flush"])
            elif "restore" in st:
                self.restore(st["restore"])
            elif "ipset" in st:
                command(["ipset", "restore", "-exist"], st["ipset"])
            elif st.get("reply"):
                if not seen:
                    o = {"verdict": "nothing to answer"}
                else:
                    at, side, q = seen
                    r = {"src": q["dst"], "dst": q["src"], "proto": q["proto"]}
                    if q["proto"] in ("icmp", "ipv6-icmp"):
                        r.update(sport=q.get("sport", 0), icmpType=0 if q["proto"] == "icmp" else 129)
                    else:
                        r.update(sport=q.get("dport", 0), dport=q.get("sport", 0))
                    if q["proto"] == "sctp":
                        r.update(answers=True)
                    if q["proto"] == "tcp":
                        r.update(flags="SA", ack=(q["seq"] + ("S" in q["flags"])) & 0xFFFFFFFF, seq=5000)
                    r.update({k: v for k, v in st.items() if k != "reply"})
                    r["in"] = st.get("in") or ("local" if side == "local" else at)
                    o, p, got = self.probe(r, keep=("conntrack",))
                    seen = got or seen
                    if got:  # ports of a reply: those seen by the client, whose own port is a fresh one
                        for key in ("sport", "dport"):
                            if key in got[2]:
                                o[key] = "client" if got[2][key] == client else got[2][key]
            elif "icmpError" in st:
                if not seen:
                    o = {"verdict": "nothing to answer"}
                else:
                    at, side, q = seen
                    t, c = st["icmpError"]
                    body = struct.pack("!BBHI", t, c, 0, st.get("mtu", 0)) + q["raw"][:128]
                    r = {"src": st.get("from", q["dst"]), "dst": q["src"], "sport": 0}
                    if self.v6:
                        pseudo = pack_ip(r["src"]) + pack_ip(r["dst"]) + struct.pack("!II", len(body), 58)
                        r["proto"] = "ipv6-icmp"
                        body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
                    else:
                        r["proto"] = "icmp"
                        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
                    r["raw"] = body
                    r["in"] = st.get("in") or ("local" if side == "local" else at)
                    o, p, got = self.probe(r, keep=("conntrack",))
                    for key in ("sport", "dport"):
                        if o.get("inner", {}).get(key) == client:
                            o["inner"][key] = "client"
            else:
                spec = st
                if "again" in st:
                    spec = dict(sent[st["again"]])
                    spec.update({k: v for k, v in st.items() if k != "again"})
                o, p, got = self.probe(spec, keep=("conntrack",))
                client = p.get("sport")
                p = dict(p, **{"in": spec.get("in", "local")})
                if o["verdict"] in ("forward", "local"):
                    seen = got
            out.append(o)
            sent.append(p)
        return out
