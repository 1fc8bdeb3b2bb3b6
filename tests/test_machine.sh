#!/bin/sh
# SPDX-License-Identifier: MIT
# `normbench machine` of other machines: what has memory and what has cores.
# run by one compiler and by sanitizers
set -u
: "${NORMBENCH:=build/normbench}"
. tests/expect.sh

# memory FILE TEXT: the line on memory.
memory() {
    got=$("$NORMBENCH" machine --topology "$1" | sed -n 's/^memory  *//p')
    [ "$got" = "$2" ] || fail "$1: memory is \"$got\", expected \"$2\""
}
data=tests/data/topology
memory 'numa:2 package:2 core:2 pu:1' '2 NUMA nodes, 2 GiB'
memory $data/packages_in_nodes.xml '2 NUMA nodes, 192 GiB; 1 more node without PUs of its own'
memory $data/partly_offline_nodes.xml '3 NUMA nodes, 32 GiB; 1 more node without PUs of its own; 6 PUs in no node'
memory $data/hbm.xml '1 NUMA node, 96 GiB; 2 more nodes without PUs of their own'
memory $data/offline_node.xml '1 NUMA node, 64 GiB; 9 PUs in no node'

check_end 0 '"nodes_without_pus": 1,' "$NORMBENCH" machine --json - --topology $data/partly_offline_nodes.xml
grep -q '"pus_without_node": 6,' "$work/out" || fail "no PUs without a node: $(cat "$work/out")"

finish
