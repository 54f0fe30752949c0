#!/bin/bash
# In the guest of vm.sh: asks its kernel what input.json asks, and writes output.json. Arguments: those of `lab.py run`.
modprobe -qa tun nfnetlink_log
exec python3 -B lab/lab.py run input.json "$@" > output.json
