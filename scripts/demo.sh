#!/usr/bin/env bash
# The whole story in a few minutes: machines without anything on them become a cluster, its upgrade is rehearsed, the cluster gets
# its next minor version while a prober asks its workload 50 times a second, and the backup of before is proven.
#
# Everything happens in a copy of this repository in a temporary folder, on loopback addresses 127.88.0.*, and is removed in the end.
set -euo pipefail

repo=$(cd "$(dirname "$0")/.." && pwd)
from=v1.35.7+k0s.0 to=v1.36.3+k0s.2
work=$(mktemp -d "${TMPDIR:-/tmp}/kiban-demo.XXXXXX")
probe_pid=''
recipient=age1zk4vufppvd9n0gqq8cvy2xxnc3najsrv5ucth4aqgdm2j5zphe3qsznjrj
identity=AGE-SECRET-KEY-1KAZEWKD22MCJA7W0KG5SX6F5MWGMAGUW0GCST22AEXWP2GL2D78STMSHSX

kiban() { "$repo/bin/kiban" "$@"; }
kiban-lab() { local verb=$1; shift; "$repo/bin/kiban-lab" "$verb" --dir "$work/.lab" "$@"; }

# As at a terminal of somebody who has set nothing, also where this runs in a job.
unset CI GITLAB_CI KIBAN_FLEET KIBAN_SITE KIBAN_LOG KUBECONFIG

bold='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then bold=$'\e[1m' plain=$'\e[0m'; fi
began=$SECONDS
tell() { printf '\n%s== %s%s  (%d s)\n' "$bold" "$1" "$plain" "$((SECONDS - began))"; shift; (($# == 0)) || printf '%s\n' "$@"; }
# brief shows of what a command says the part before a line.
brief() { local end=$1; shift; printf '%s$ %s%s\n' "$bold" "$*" "$plain"; "$@" | sed "/$end/,\$d"; }
show() { printf '%s$ %s%s\n' "$bold" "$*" "$plain"; "$@"; }

cleanup() {
  local code=$?
  trap - EXIT INT TERM
  [[ -z $probe_pid ]] || kill -TERM "$probe_pid" 2>/dev/null || true
  [[ ! -d $work/.lab ]] || kiban-lab down >/dev/null 2>&1 || true
  rm -rf "$work" 2>/dev/null || { sleep 2 && rm -rf "$work"; } # the lab's last processes may still write
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

tell 'A fleet in git' "Copied clusters/ and overlays/ to $work, so that this repository stays as it is."
cp -R "$repo/clusters" "$repo/overlays" "$work/"
cd "$work"
# Where backups go, in earnest a mount or a bucket, and who can open them. The key pair is for this demo alone: age-keygen makes one.
mkdir backups
printf '  backup:\n    recipients: [%s]\n    to:\n    - folder: %s\n' "$recipient" "$work/backups" >>overlays/lab/site.yaml
echo "$identity" >key.txt
commit() { git add clusters overlays && git -c user.name=demo -c user.email=demo@example.com commit -q -m "$1"; }
git init -q . && commit 'fleet: begin'

tell 'Seven bare machines' 'Simulated: each is an SSH server. What will run on them is a real etcd and a real Kubernetes control plane.'
show kiban-lab up --controllers 3 --workers 4 --detach

tell 'From the overlay to a cluster' 'kiban plan says what is to be done, kiban apply does it.'
show kiban apply lab --yes
show kiban status lab

tell 'A workload with a budget' 'Four pods behind a Service. Its disruption budget wants three of them at any time.'
show kiban-lab kubectl -- apply -f "$repo/scripts/demo-workload.yaml"
kiban-lab kubectl -- rollout status deployment/web --timeout=60s
kiban-lab kubectl -- get pods -o wide
tell "The upgrade: one line, $from to $to" 'As a merge request would have it.'
sed -i.bak "s/$from/$to/" overlays/lab/version.yaml && rm overlays/lab/version.yaml.bak
git --no-pager diff --unified=0 -- overlays/lab/version.yaml | tail -2
commit "lab: k0s $to"

tell 'Rehearsed' 'In a lab of its own, made of the state of this one: machines, versions, pods, budgets. Nothing is touched here.'
mark=$(kiban-lab mark)
brief '^Assumed' kiban rehearse lab --result rehearsal.json || [[ $? == 3 ]] # 3: not all went well, which is shown
touched=$(kiban-lab commands --changes --since "$mark")

tell 'A prober' 'From now on it asks the pods 50 times a second, through the EndpointSlices as a kube-proxy would, and counts.'
"$repo/bin/kiban-lab" probe --dir "$work/.lab" --service web --deployment web --report "$work/probe.json" >/dev/null 2>"$work/probe.err" &
probe_pid=$!
sleep 2

tell 'The plan' 'What is shown is what runs.'
show kiban plan lab --out "$work/upgrade.plan"

tell 'Carried out, node by node' 'Exactly the plan above: if anything had changed since, it would be refused.'
show kiban apply lab --plan "$work/upgrade.plan"
kiban-lab kubectl -- get nodes

tell 'What the prober saw'
kill -TERM "$probe_pid" # a job in the background of a script does not hear SIGINT
wait "$probe_pid" || true
probe_pid=''
number() { sed -n "s/.*\"$1\": *\(-*[0-9]*\).*/\1/p" "$work/probe.json" | head -1; }
requests=$(number requests) failures=$(number failures) fewest=$(number minReady)
echo "$requests requests, $failures failed. The fewest Ready pods at any time: $fewest of 4; the budget wants 3."

tell 'Foretold and happened' 'Workers that are out together have no order among them.'
# The controllers and the canary in their order, the other workers sorted, on one line.
turns() { awk 'NR <= 4 { print; next } { print | "sort" }' | paste -sd' '; }
journal=$(ls .kiban/runs/lab/*.jsonl | grep -v commands | tail -1)
foretold=$(sed -n '/"order": \[/,/\]/s/^ *"\([a-z0-9-]*\)",*$/\1/p' rehearsal.json | turns)
happened=$(grep '"kind":"started"' "$journal" | grep -E '"action":"(cordon|upgrade)"' | sed 's/.*"target":"\([^"]*\)".*/\1/' | awk '!seen[$0]++' | turns)
ended=$(sed -n 's/^  "result": "\(.*\)",*$/\1/p' rehearsal.json)
lost=$(awk -F'[:,]' '/"lost":/ { n += $2 } END { print n + 0 }' rehearsal.json)
printf '%-10s%s: %s, requests lost: %s\n' foretold "$foretold" "$ended" "$lost" happened "$happened" done "$failures"
if [[ $foretold == "$happened" && $ended == done ]]; then echo 'They agree.'; else echo 'They differ.'; fi
if ((lost + failures > 0)); then echo 'A busy computer is late with endpoints, and may lose requests in the lab that no cluster loses.'; fi

tell 'The backup of before, proven' 'The upgrade took it before controllers changed. It is restored in a lab, and every object is read back.'
brief '^KIND' kiban drill lab --identity key.txt
mkdir damaged && cp backups/*.age damaged/
copy=$(echo damaged/*.age)
printf damaged | dd of="$copy" bs=1 seek="$(($(wc -c <"$copy") / 2))" conv=notrunc status=none
tell 'A damaged copy' 'Seven of its bytes are others. It proves nothing.'
if show kiban drill lab --backup "$copy" --identity key.txt; then refused=no; else refused=yes; fi

tell 'The run, as a picture' 'A lane a machine, its steps as bars, and how many nodes were out of service.'
kiban show latest --site lab -o html >"$repo/bin/demo-upgrade.html"
echo "Open $repo/bin/demo-upgrade.html in a browser."

tell 'Again: nothing to do' 'What is there is what the repository declares, so nothing is touched.'
mark=$(kiban-lab mark)
show kiban plan lab --detailed-exitcode
show kiban apply lab
changes=$(kiban-lab commands --changes --since "$mark")
echo "Changes that the seven machines have recorded since: ${changes:-none}"

if [[ $((failures * 100)) -gt $requests || $fewest -lt 3 || -n $changes$touched || $refused != yes ]]; then
  tell 'This demo did not go as it should' 'See the figures above.'
  exit 1
fi
tell 'Done' 'Next: README.md says how to rehearse an upgrade of a cluster of your own, and how to declare a first site.'
