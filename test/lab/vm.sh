#!/bin/bash
# vm.sh - boots a throw-away Linux that has IPVS, runs a script in it, and hands back what it wrote.
#
#   vm.sh setup [uml|qemu]               makes the image in the cache (once, under a minute)
#   vm.sh check                          says why no image can be booted at once, with status 77
#   vm.sh run [-v] [-m MB] [-c CPUS] [-t SECONDS] SCRIPT [SHARED_DIR [ARG...]]
#
# `run` copies SHARED_DIR (default: an empty temporary folder) into the guest as /shared, runs SCRIPT there
# with bash as root (current folder /shared, arguments ARG...), copies /shared back over SHARED_DIR
# (new and changed files; nothing is deleted), prints what the script wrote to stdout and stderr on the
# same streams and exits with its status. 124: ran past the time limit. 125: the guest itself failed.
#
# Two kinds of guest, both made from Debian 12 packages only; no root, no KVM, no network device needed:
#   uml    user-mode-linux: a Linux kernel that runs as an ordinary process (one CPU). The default.
#   qemu   qemu-system-x86 with the kernel of linux-image-cloud-amd64; KVM where a trial boot shows that
#          it works, else plain emulation.
# Neither kernel package is installed: it is downloaded with apt-get and unpacked into the cache.
# The guest's programs are copied from this machine; install
#   busybox-static cpio kmod iproute2 iptables ipset ipvsadm nftables conntrack procps python3
#   and for qemu: qemu-system-x86 (--no-install-recommends)
# Of Python the image has what lab.py imports, and no more.
# In the qemu guest `iptables` is the nft flavour (PATH=/opt/iptables-legacy:$PATH picks the other one). The
# uml kernel is built without nf_tables for IPv4 and IPv6, so there `iptables` is the legacy flavour and nft
# is of no use.
# Environment:
#   IPVS_VM_CACHE   where kernel and image are kept (default: ~/.cache/ipvs-vm)
#   IPVS_VM_KIND    uml or qemu (default: the one that setup found to work, uml first)
#   IPVS_VM_ACCEL   for qemu: auto (default; a trial boot decides), kvm or tcg
#   IPVS_VM_EXTRA   more programs or files of this machine to put in the image, blank-separated (setup)
#   IPVS_VM_KERNEL_DEB  a kernel .deb of the right kind already at hand (setup; else apt-get download)
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
cache=${IPVS_VM_CACHE:-$HOME/.cache/ipvs-vm}
lab=$(cd "$(dirname "$0")" && pwd)
die() { echo "ipvs-vm: $*" >&2; exit 125; }

layout=2   # of the image: an older one is made anew
modules_wanted="ip_vs ip_vs_rr ip_vs_wrr ip_vs_lc ip_vs_wlc ip_vs_lblc ip_vs_lblcr
 ip_vs_sh ip_vs_dh ip_vs_mh ip_vs_sed ip_vs_nq ip_vs_fo ip_vs_ovf nf_conntrack dummy veth tun"

# add_file PATH: copies a file (following links) to the same path in the image, with its libraries.
add_file() {
  local f=$1 lib
  [ -e "$root$f" ] && return 0
  mkdir -p "$root${f%/*}"
  cp -L "$f" "$root$f"
  if [ -x "$f" ] || [[ $f == *.so* ]]; then
    { ldd "$f" 2>/dev/null || true; } | grep -o '/[^ ]*' | while read -r lib; do
      [ -e "$root$lib" ] || { mkdir -p "$root${lib%/*}"; cp -L "$lib" "$root$lib"; }
    done
  fi
}

# add_python: the interpreter of this machine, and the modules that the lab asks for, compiled as they are here.
add_python() {
  local python f
  python=/usr/bin/python3; [ -x $python ] || python=$(command -v python3) || die "missing program: python3"
  f=$($python -c 'import os, sys; print(os.path.realpath(sys.executable))')
  add_file "$f"; ln -sf "$f" "$root/usr/bin/python3"
  (cd "$lab" && $python -B -c '
import encodings.ascii, encodings.idna, encodings.latin_1, os, sys
import lab, socket, subprocess, ctypes
here = os.getcwd()
for module in list(sys.modules.values()):
    for name in (getattr(module, "__file__", None), getattr(module, "__cached__", None)):
        if name and os.path.exists(name) and not name.startswith(here):
            print(name)
print(os.path.join(os.path.dirname(os.__file__), "os.py"))') | sort -u | while read -r f; do
    [[ $f == *.so ]] && add_file "$f"
    mkdir -p "$root${f%/*}"; cp -Lp "$f" "$root$f"
  done
}

# setup KIND
setup_kind() {
  local kind=$1 deb kver f tool pkg mods
  mkdir -p "$cache/$kind"
  work=$(mktemp -d "$cache/setup.XXXXXX"); trap 'rm -rf "$work"' EXIT
  root=$work/root
  # merged /usr, as on a Debian host
  mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{proc,sys,dev,tmp,run,etc,root,shared,var/run,var/lock}
  for f in bin sbin lib lib64; do ln -s usr/$f "$root/$f"; done

  deb=${IPVS_VM_KERNEL_DEB:-}
  if [ -z "$deb" ]; then
    pkg=user-mode-linux
    [ "$kind" = uml ] || pkg=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
    [ -n "$pkg" ] || die "no linux-image-cloud-amd64 in the package lists (apt-get update?)"
    (cd "$work" && apt-get download "$pkg" >/dev/null 2>&1) || die "apt-get download $pkg failed"
    deb=$(echo "$work"/*.deb)
  fi
  dpkg-deb -x "$deb" "$work/k"
  if [ "$kind" = uml ]; then
    mods=$(echo "$work"/k/usr/lib/uml/modules/*); cp "$work/k/usr/bin/linux.uml" "$cache/uml/kernel"
  else
    mods=$(echo "$work"/k/lib/modules/*); cp "$work"/k/boot/vmlinuz-* "$cache/qemu/kernel"
  fi
  kver=$(basename "$mods")
  # the modules that can matter for packet filtering, load balancing and virtual disks
  mkdir -p "$root/usr/lib/modules/$kver/kernel"
  (cd "$mods" && cp modules.order modules.builtin modules.builtin.modinfo "$root/usr/lib/modules/$kver/" &&
    for f in kernel/net/{netfilter,ipv4,ipv6,bridge,llc,802,8021q,core,sched,sctp,xfrm} kernel/lib kernel/crypto \
             kernel/drivers/net/{dummy,veth,tun,bonding,vxlan} kernel/drivers/virtio kernel/drivers/block/virtio_blk; do
      for f in $f $f.ko; do [ -e "$f" ] && cp -r --parents "$f" "$root/usr/lib/modules/$kver/" || true; done
    done)
  depmod -b "$root" "$kver"

  # busybox gives the small tools; the real ones below replace its applets
  cp -L "$(command -v busybox)" "$root/usr/bin/busybox"
  for f in $("$root/usr/bin/busybox" --list); do
    case $f in busybox|ip|ipaddr|iplink|iproute|iprule|ipneigh|iptunnel|modprobe|insmod|lsmod|depmod|sysctl|nsenter|unshare|bash) ;;
      *) ln -s busybox "$root/usr/bin/$f" ;;
    esac
  done
  for tool in bash ip ss bridge kmod ipvsadm ipset nft conntrack sysctl unshare nsenter xtables-nft-multi xtables-legacy-multi ${IPVS_VM_EXTRA:-}; do
    f=$tool; [[ $f == /* ]] || f=$(command -v "$tool" || ls /usr/sbin/"$tool" 2>/dev/null) || die "missing program: $tool"
    f=$(readlink -f "${f%/*}")/${f##*/}            # /sbin/x -> /usr/sbin/x
    rm -f "$root/usr/bin/${f##*/}"
    add_file "$f"
  done
  add_python
  for f in /usr/lib/*/xtables/*.so; do add_file "$f"; done
  for f in modprobe insmod rmmod lsmod modinfo depmod; do ln -sf /usr/bin/kmod "$root/usr/sbin/$f"; rm -f "$root/usr/bin/$f"; done
  [ -e "$root/usr/bin/kmod" ] || ln -s "$(readlink -f "$(command -v kmod)")" "$root/usr/bin/kmod"
  local v
  for v in nft legacy; do
    mkdir -p "$root/opt/iptables-$v"
    for f in iptables ip6tables; do
      for tool in "" -save -restore; do
        ln -sf "/usr/sbin/xtables-$v-multi" "$root/usr/sbin/$f-$v$tool"
        ln -sf "/usr/sbin/xtables-$v-multi" "$root/opt/iptables-$v/$f$tool"
      done
    done
  done
  for f in /etc/protocols /etc/services /etc/ethertypes /etc/iproute2 /usr/share/iproute2; do
    [ -e "$f" ] && { mkdir -p "$root${f%/*}"; cp -rL "$f" "$root$f"; } || true
  done
  printf 'root:x:0:0:root:/root:/bin/bash\n' > "$root/etc/passwd"
  printf 'root:x:0:\n' > "$root/etc/group"
  printf '127.0.0.1 localhost vm\n::1 localhost\n' > "$root/etc/hosts"

  cat > "$root/init" <<'INIT'
#!/bin/bash
export PATH=/opt/iptables-nft:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
mount -t proc proc /proc
echo "IPVS-VM: init $(cut -d' ' -f1 /proc/uptime)"
grep -q ipvsvm.probe /proc/cmdline && poweroff -f
mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs -o size=80% tmp /tmp; mount -t tmpfs run /run
mkdir -p /run/netns /dev/pts; ln -sfn /proc/self/fd /dev/fd; ln -sf fd/0 /dev/stdin; ln -sf fd/1 /dev/stdout; ln -sf fd/2 /dev/stderr
hostname vm
disk=vd; [ -e /dev/ubda ] && { disk=ubd; PATH=/opt/iptables-legacy:$PATH; }   # that kernel has no nf_tables for IP
modprobe -qa virtio_pci virtio_blk
modprobe -a MODULES || echo "IPVS-VM: some modules missing"
ip link set lo up
mkdir -p /tmp/job && tar x -f /dev/$disk"a" -C /tmp/job && rm -rf /shared && mv /tmp/job/shared /shared && cd /shared || { echo "IPVS-VM: no job"; poweroff -f; }
echo "IPVS-VM: run $(cut -d' ' -f1 /proc/uptime)"
mapfile -d '' args < /tmp/job/args
bash /tmp/job/script "${args[@]}" >/tmp/job/stdout 2>/tmp/job/stderr </dev/null; echo $? > /tmp/job/rc
echo "IPVS-VM: done $(cut -d' ' -f1 /proc/uptime)"
cd /; mv /shared /tmp/job/shared
tar c -f /dev/$disk"b" -C /tmp/job rc stdout stderr shared && sync && echo "IPVS-VM: saved $(cut -d' ' -f1 /proc/uptime)"
poweroff -f
INIT
  sed -i "s/MODULES/$(echo $modules_wanted)/" "$root/init"
  chmod 755 "$root/init"
  (cd "$root" && find . -print0 | cpio --null -o -H newc --quiet) > "$cache/$kind/initrd.new"
  mv "$cache/$kind/initrd.new" "$cache/$kind/initrd"
  echo "$kver" > "$cache/$kind/version"
  echo "$layout" > "$cache/$kind/layout"

  if [ "$kind" = qemu ]; then
    # does KVM really work here? (the device node can exist without a usable CPU behind it)
    echo tcg > "$cache/qemu/accel"
    if [ -w /dev/kvm ]; then
      guest qemu kvm 512 1 10 "$work/probe" "ipvsvm.probe" >/dev/null 2>&1 || true
      grep -q 'IPVS-VM: init' "$work/probe" 2>/dev/null && echo kvm > "$cache/qemu/accel"
    fi
  fi
  guest "$kind" "$(cat "$cache/$kind/accel" 2>/dev/null || echo -)" 512 1 60 "$work/probe" "ipvsvm.probe" >/dev/null 2>&1 || true
  grep -q 'IPVS-VM: init' "$work/probe" 2>/dev/null || { tail -5 "$work/probe" >&2; rm -rf "$work"; return 1; }
  echo "$kind" > "$cache/kind"
  echo "ipvs-vm: $kind, Linux $kver, image $(du -m "$cache/$kind/initrd" | cut -f1) MiB $(cat "$cache/$kind/accel" 2>/dev/null)" >&2
  rm -rf "$work"
}

setup() {
  mkdir -p "$cache"
  if [ -n "${1:-}" ]; then setup_kind "$1" || die "$1 does not boot here"
  else setup_kind uml || setup_kind qemu || die "neither uml nor qemu boots here"; fi
}

# guest KIND ACCEL MB CPUS SECONDS CONSOLE_FILE CMDLINE [IN_DISK OUT_DISK]
guest() {
  local kind=$1 accel=$2 mb=$3 cpus=$4 limit=$5 console=$6 cmdline=$7 cpu=max; shift 7
  if [ "$kind" = uml ]; then
    TMPDIR=${console%/*} timeout -k 5 "$limit" "$cache/uml/kernel" mem="$mb"M initrd="$cache/uml/initrd" \
      con=null con0=fd:0,fd:1 quiet panic=1 "$cmdline" ${1:+ubd0r="$1" ubd1="$2"} </dev/null >"$console" 2>&1
    return
  fi
  [ "$accel" = kvm ] && cpu=host
  timeout -k 5 "$limit" qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
    -accel "$accel" -cpu "$cpu" -m "$mb" -smp "$cpus" -serial "file:$console" \
    -kernel "$cache/qemu/kernel" -initrd "$cache/qemu/initrd" \
    -append "console=ttyS0 quiet panic=-1 nokaslr mitigations=off $cmdline" \
    ${1:+-drive "file=$1,format=raw,if=virtio,readonly=on" -drive "file=$2,format=raw,if=virtio,cache=unsafe"} </dev/null
}

# kind_here: the kind of guest whose image is there.
kind_here() {
  local kind=${IPVS_VM_KIND:-$(cat "$cache/kind" 2>/dev/null || true)}
  [ -n "$kind" ] && [ -s "$cache/$kind/initrd" ] && [ "$(cat "$cache/$kind/layout" 2>/dev/null)" = "$layout" ] && echo "$kind"
}

check() {
  local kind
  kind=$(kind_here) || { echo "no image in $cache: $0 setup makes one"; exit 77; }
  [ "$kind" != qemu ] || command -v qemu-system-x86_64 >/dev/null || { echo "no qemu-system-x86_64"; exit 77; }
  echo "$kind, Linux $(cat "$cache/$kind/version")"
}

run() {
  local verbose= mb=768 cpus=1 limit=300 o rc=0 kind accel
  while getopts vm:c:t: o; do
    case $o in v) verbose=1 ;; m) mb=$OPTARG ;; c) cpus=$OPTARG ;; t) limit=$OPTARG ;; *) die "usage" ;; esac
  done
  shift $((OPTIND - 1))
  [ $# -ge 1 ] || die "usage: vm.sh run [-v] [-m MB] [-c CPUS] [-t SECONDS] SCRIPT [SHARED_DIR [ARG...]]"
  kind=$(kind_here) || { setup "${IPVS_VM_KIND:-}"; kind=$(kind_here); }
  local script=$1 shared=${2:-}; shift; [ $# -gt 0 ] && shift
  job=$(mktemp -d "${TMPDIR:-/tmp}/ipvs-vm.XXXXXX"); trap 'rm -rf "$job"' EXIT
  [ -n "$shared" ] || { shared=$job/empty; mkdir "$shared"; }
  shared=$(cd "$shared" && pwd)
  mkdir "$job/in"; cp "$script" "$job/in/script"; ln -s "$shared" "$job/in/shared"
  : > "$job/in/args"; [ $# -gt 0 ] && printf '%s\0' "$@" > "$job/in/args"
  tar chf "$job/vda" --owner=0 --group=0 -C "$job/in" script args shared
  truncate -s %512 "$job/vda"; truncate -s 1G "$job/vdb"
  accel=${IPVS_VM_ACCEL:-auto}; [ "$accel" = auto ] && accel=$(cat "$cache/qemu/accel" 2>/dev/null || echo tcg)
  guest "$kind" "$accel" "$mb" "$cpus" "$limit" "$job/console" "ipvsvm.run" "$job/vda" "$job/vdb" || rc=$?
  [ -n "$verbose" ] && cat "$job/console" >&2
  if ! grep -q 'IPVS-VM: saved' "$job/console"; then
    tail -30 "$job/console" >&2
    [ "$rc" = 124 ] || [ "$rc" = 137 ] && exit 124
    die "the guest ended without a result ($kind: $rc)"
  fi
  mkdir "$job/out"; tar xf "$job/vdb" --no-same-owner -C "$job/out"
  cp -rfP "$job/out/shared/." "$shared/"
  cat "$job/out/stdout"; cat "$job/out/stderr" >&2
  exit "$(cat "$job/out/rc")"
}

case ${1:-} in
  setup) shift; setup "$@" ;;
  check) check ;;
  run) shift; run "$@" ;;
  *) sed -n '2,36s/^# \{0,1\}//p' "$0"; exit 125 ;;
esac
