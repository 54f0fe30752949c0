#!/usr/bin/env python3
"""Asks a real Linux kernel where packets land.

For each case a node is built in a network namespace of its own: interfaces, addresses, routes, sysctls, ipsets, and
rules loaded by iptables-restore. Its packets are sent through, one at a time, and what comes out is told.

  * Every interface is a TUN device, or a bridge whose ports are TAP devices. This program holds the other end, and so
    is the whole world around the node. Writing a packet there runs the kernel's whole receive path before the write
    returns, so that what the node sends out can be read at once.
  * What the node accepts for itself is seen by raw sockets in the namespace, which get a copy after INPUT. Its own
    packets leave through a raw socket. No rule is added to see anything.
  * With --trace (legacy only) TRACE rules stand first in the raw table, and the kernel's reports come back as paths.

It needs root, iptables, iproute2, /dev/net/tun and Python 3.8 or newer. Nothing leaves the machine: the namespaces have
no way out. Where something is missing it says `skipped: WHY` and ends with status 77.

  lab.py check [--backend legacy|nft] [--family ipv4|ipv6]
  lab.py run INPUT.json|- [--backend legacy|nft] [--trace] [--jobs N] [--patience MILLISECONDS]
  lab.py case FOLDER... [--backend legacy|nft]     measures folders as in fixtures/kernel-packets

The input of `run` is {"cases": [{"name", "rules", "network", "probes"}]}, its output
{"cases": [{"name", "results": [{"id", "repeat", "outcomes"}]} or {"name", "error"}]}; fixtures/kernel-packets/README.md
tells the forms of networks, probes and outcomes.
"""
import argparse
import ctypes
import fcntl
import json
import os
import platform
import select
import shutil
import struct
import subprocess
import sys
import traceback

from netlink import LabError
from node import IFF_NO_PI, IFF_TUN, TUNSETIFF, Node, command, environment, restore_command, search_path

SKIP = 77
CLONE_NEWNET = 0x40000000


class Skip(Exception):
    """Something the lab needs is not there."""


def requirements(backend, family):
    """Raises Skip with a reason when the lab can't run here."""
    if not sys.platform.startswith("linux"):
        raise Skip("needs Linux")
    if os.geteuid() != 0:
        raise Skip("needs root")
    if not os.path.exists("/dev/net/tun"):
        raise Skip("no /dev/net/tun")
    for program in ("ip", "bridge", "ipset", restore_command(backend, family)):
        if not shutil.which(program, path=search_path()):
            raise Skip("no %s" % program)
    pid = os.fork()
    if pid == 0:
        os._exit(try_all(backend, family))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        raise Skip(["", "may not create network namespaces", "%s does not work here" % restore_command(backend, family),
                    "may not create TUN devices"][status])


def try_all(backend, family):
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        return 1
    try:
        command([restore_command(backend, family)], "*nat\nCOMMIT\n")
    except LabError:
        return 2
    try:
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"t0", IFF_TUN | IFF_NO_PI))
    except OSError:
        return 3
    return 0


# --------------------------------------------------------------------------- cases


def count(results):
    """Equal outcomes are one, with their number; the most frequent first."""
    table = {}
    for r in results:
        table.setdefault(json.dumps(r, sort_keys=True), [0, r])[0] += 1
    return [dict(count=n, **(r if isinstance(r, dict) else {"steps": r}))
            for n, r in sorted(table.values(), key=lambda x: (-x[0], json.dumps(x[1], sort_keys=True)))]


def run_probes(node, probes):
    out = []
    for spec in probes:
        n = int(spec.get("repeat", 1))
        results = []
        for _ in range(n):
            node.flush("recent")
            if "steps" in spec:
                node.flush("conntrack")
                results.append(node.steps(spec["steps"]))
            else:
                results.append(node.probe(spec)[0])
        out.append({"id": spec.get("id"), "repeat": n, "outcomes": count(results)})
    return out


def answer_of(case, args):
    """What became of the packets of a case; in a process of its own, which enters a new namespace."""
    try:
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
            raise Skip("may not create network namespaces")
        node = Node(case.get("network") or {}, case.get("rules") or "", args.backend, args.trace, args.patience)
        return {"name": case.get("name"), "results": run_probes(node, case.get("probes") or [])}
    except (LabError, Skip) as e:
        return {"name": case.get("name"), "error": str(e)}
    except Exception:
        return {"name": case.get("name"), "error": traceback.format_exc()}


def run_cases(cases, args):
    """All cases, some at a time, each in a child of its own."""
    answers = [None] * len(cases)
    open_pipes, poll, waiting = {}, select.poll(), list(enumerate(cases))[::-1]
    while waiting or open_pipes:
        while waiting and len(open_pipes) < args.jobs:
            index, case = waiting.pop()
            r, w = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(r)
                with os.fdopen(w, "wb") as f:
                    f.write(json.dumps(answer_of(case, args)).encode("utf8", "surrogatepass"))
                os._exit(0)
            os.close(w)
            open_pipes[r] = (index, pid, [])
            poll.register(r, select.POLLIN)
        for fd, _ in poll.poll():
            index, pid, chunks = open_pipes[fd]
            chunk = os.read(fd, 1 << 16)
            if chunk:
                chunks.append(chunk)
                continue
            poll.unregister(fd)
            os.close(fd)
            os.waitpid(pid, 0)
            del open_pipes[fd]
            answers[index] = json.loads(b"".join(chunks)) if chunks else {"error": "the child died"}
    return answers


# --------------------------------------------------------------------------- folders


def read_case(folder):
    def text(name):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf8", errors="surrogateescape") as f:
            return f.read()

    described = text("network.yaml") or "{}"
    try:
        network = json.loads(described)
    except ValueError:
        try:
            import yaml
        except ImportError:
            raise Skip("no PyYAML, which reads network.yaml unless that is JSON")
        network = yaml.safe_load(described)
    rules = text("iptables-save.txt") or text("ip6tables-save.txt")
    if text("ipset-save.txt"):
        network["ipset"] = text("ipset-save.txt")
    if text("ipvsadm-restore.txt"):
        network["ipvs"] = text("ipvsadm-restore.txt")
    return {"name": os.path.basename(os.path.normpath(folder)), "rules": rules, "network": network,
            "probes": json.loads(text("probes.json"))}


def result_lines(results, indent):
    """Results of probes, one outcome a line, so that they read and diff well."""
    lines = []
    for i, r in enumerate(results):
        head = {k: v for k, v in r.items() if k != "outcomes"}
        lines.append("%s%s, \"outcomes\": [" % (indent, json.dumps(head, ensure_ascii=False)[:-1]))
        lines += ["%s  %s%s" % (indent, json.dumps(o, ensure_ascii=False), "," if j + 1 < len(r["outcomes"]) else "")
                  for j, o in enumerate(r["outcomes"])]
        lines.append("%s]}%s" % (indent, "," if i + 1 < len(results) else ""))
    return lines


def without_path(outcome):
    return {k: v for k, v in outcome.items() if k not in ("path", "answerPath")}


def untraced(results):
    """The outcomes alone: those that differed in their paths only are one."""
    out = []
    for r in results:
        again = []
        for o in r["outcomes"]:
            o = dict(o)
            n = o.pop("count")
            plain = [s and without_path(s) for s in o["steps"]] if "steps" in o else without_path(o)
            again += [plain] * n
        out.append(dict(r, outcomes=count(again)))
    return out


def write_case(folder, args):
    case = read_case(folder)
    family = case["network"].get("family", "ipv4")
    requirements(args.backend, family)
    args.trace = args.backend == "legacy"
    answer, = run_cases([case], args)
    if "error" in answer:
        raise LabError("%s: %s" % (folder, answer["error"]))
    version = command([restore_command(args.backend, family).replace("-restore", ""), "--version"]).strip()
    about = {"kernel": platform.release().split("-")[0], "iptables": version, "tool": "kernel-lab", "backend": args.backend}
    head = ["  %s: %s," % (json.dumps(k), json.dumps(v)) for k, v in about.items()]
    with open(os.path.join(folder, "observed.json"), "w", encoding="utf8") as f:
        f.write("\n".join(["{"] + head + ['  "results": ['] + result_lines(untraced(answer["results"]), "    ") + ["  ]", "}", ""]))
    single = [{"id": r["id"], "outcomes": [{k: v for k, v in o.items() if k != "count"} for o in r["outcomes"]]}
              for r in answer["results"] if all("path" in o for o in r["outcomes"])]
    if single:
        with open(os.path.join(folder, "paths.json"), "w", encoding="utf8") as f:
            f.write("\n".join(['{"results": ['] + result_lines(single, " ") + ["]}", ""]))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("command", choices=["check", "run", "case"])
    ap.add_argument("inputs", nargs="*")
    ap.add_argument("--backend", choices=["legacy", "nft"], default="legacy")
    ap.add_argument("--family", choices=["ipv4", "ipv6"], default="ipv4", help="of check")
    ap.add_argument("--trace", action="store_true", help="add the rules visited (legacy only)")
    ap.add_argument("--jobs", type=int, default=1, help="cases at a time")
    ap.add_argument("--patience", type=int, default=1, help="milliseconds to wait for what may still come")
    args = ap.parse_args()
    try:
        if args.command == "check":
            requirements(args.backend, args.family)
        elif args.command == "run":
            with (sys.stdin if args.inputs in ([], ["-"]) else open(args.inputs[0], encoding="utf8")) as f:
                cases = json.load(f)["cases"]
            requirements(args.backend, (cases[0].get("network") or {}).get("family", "ipv4") if cases else "ipv4")
            json.dump({"cases": run_cases(cases, args)}, sys.stdout)
        else:
            for folder in args.inputs:
                write_case(folder, args)
    except Skip as e:
        print("skipped: %s" % e)
        sys.exit(SKIP)
    except LabError as e:
        print("error: %s" % e, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
