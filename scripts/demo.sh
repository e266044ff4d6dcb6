#!/usr/bin/env bash
# The whole story in a few minutes: machines without anything on them become a cluster, and the cluster gets its next minor
# version while a prober asks its workload 50 times a second.
#
# Everything happens in a copy of this repository in a temporary folder, on loopback addresses 127.88.0.*, and is removed in the end.
set -euo pipefail

repo=$(cd "$(dirname "$0")/.." && pwd)
from=v1.35.7+k0s.0 to=v1.36.3+k0s.2
work=$(mktemp -d "${TMPDIR:-/tmp}/kiban-demo.XXXXXX")
probe_pid=''

kiban() { "$repo/bin/kiban" "$@"; }
kiban-lab() { local verb=$1; shift; "$repo/bin/kiban-lab" "$verb" --dir "$work/.lab" "$@"; }

# As at a terminal of somebody who has set nothing, also where this runs in a job.
unset CI GITLAB_CI KIBAN_FLEET KIBAN_SITE KIBAN_LOG KUBECONFIG

bold='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then bold=$'\e[1m' plain=$'\e[0m'; fi
began=$SECONDS
tell() { printf '\n%s== %s%s  (%d s)\n' "$bold" "$1" "$plain" "$((SECONDS - began))"; shift; (($# == 0)) || printf '%s\n' "$@"; }
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
tell 'A prober' 'From now on it asks the pods 50 times a second, through the EndpointSlices as a kube-proxy would, and counts.'
"$repo/bin/kiban-lab" probe --dir "$work/.lab" --service web --deployment web --report "$work/probe.json" >/dev/null 2>"$work/probe.err" &
probe_pid=$!
sleep 2

tell "The upgrade: one line, $from to $to" 'As a merge request would have it.'
sed -i.bak "s/$from/$to/" overlays/lab/version.yaml && rm overlays/lab/version.yaml.bak
git --no-pager diff --unified=0 -- overlays/lab/version.yaml | tail -2
commit "lab: k0s $to"
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

tell 'The run, as a picture' 'A lane a machine, its steps as bars, and how many nodes were out of service.'
kiban show latest --site lab -o html >"$repo/bin/demo-upgrade.html"
echo "Open $repo/bin/demo-upgrade.html in a browser."

tell 'Again: nothing to do' 'What is there is what the repository declares, so nothing is touched.'
mark=$(kiban-lab mark)
show kiban plan lab --detailed-exitcode
show kiban apply lab
changes=$(kiban-lab commands --changes --since "$mark")
echo "Changes that the seven machines have recorded since: ${changes:-none}"

if [[ $failures != 0 || $fewest -lt 3 || -n $changes ]]; then
  tell 'This demo did not go as it should' 'See the figures above.'
  exit 1
fi
tell 'Done' 'Next: README.md says how to declare a first site of your own.'
