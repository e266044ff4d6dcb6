#!/usr/bin/env bash
# Records an upgrade in the lab as an animation: scripts/record.sh FILE.svg. It needs termtosvg, which Debian has.
#
# The machines are set up beforehand. What is recorded is a real run: the plan, how a terminal of 80 columns shows it while it is carried out,
# and the look afterwards. Pauses are shortened to a second and a half.
set -euo pipefail

out=$(realpath -m "${1:?the file to write}")
repo=$(cd "$(dirname "$0")/.." && pwd)
from=v1.35.7+k0s.0 to=v1.36.3+k0s.2
command -v termtosvg >/dev/null || { echo 'termtosvg is needed: apt-get install termtosvg' >&2; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/kiban-record.XXXXXX")
bin=$work/bin fleet=$work/fleet
lab() { local verb=$1; shift; "$bin/kiban-lab" "$verb" --dir "$fleet/.lab" "$@"; }
# As at a terminal of somebody who has set nothing, also where this runs in a job.
unset CI GITLAB_CI KIBAN_FLEET KIBAN_SITE KIBAN_LOG KUBECONFIG NO_COLOR COLUMNS
export USER=operator

cleanup() {
  local code=$?
  trap - EXIT INT TERM
  [[ ! -d $fleet/.lab ]] || lab down >/dev/null 2>&1 || true
  rm -rf "$work" 2>/dev/null || { sleep 2 && rm -rf "$work"; } # the lab's last processes may still write
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

mkdir -p "$bin" "$fleet"
ln -s "${KIBAN_BIN:-$repo/bin/kiban}" "$bin/kiban"
ln -s "${KIBAN_LAB_BIN:-$repo/bin/kiban-lab}" "$bin/kiban-lab"
cp -R "$repo/clusters" "$repo/overlays" "$fleet/"
cd "$fleet"
commit() { git add clusters overlays && git -c user.name=demo -c user.email=demo@example.com commit -q -m "$1"; }
git init -q . && commit 'fleet: begin'

echo 'Setting up seven machines.'
lab up --controllers 3 --workers 4 --detach >/dev/null
"$bin/kiban" apply lab --yes >/dev/null 2>"$work/apply.err" || { cat "$work/apply.err" >&2; exit 1; }
lab kubectl -- apply -f "$repo/scripts/demo-workload.yaml" >/dev/null
lab kubectl -- rollout status deployment/web --timeout=120s >/dev/null
sed -i.bak "s/$from/$to/" overlays/lab/version.yaml && rm overlays/lab/version.yaml.bak
commit "lab: k0s $to"

# What is seen: each command is typed, and then run for real.
cat >"$work/scene" <<'SCENE'
run() {
  printf '\e[32m$\e[0m '
  for ((i = 0; i < ${#1}; i++)); do printf '%s' "${1:i:1}"; sleep 0.03; done
  echo; sleep 0.3; eval "$1"; local code=$?; sleep "$2"
  return "$code"
}
clear
run 'git --no-pager show -U0 --color=always | tail -2   # the merge request' 2
run 'kiban plan lab 2>/dev/null | tail -16' 4
clear
run 'kiban apply lab --yes' 3 && echo 0 >"$RECORDED"
clear
run 'kiban status lab 2>/dev/null | head -17' 4
SCENE
mkfifo "$work/keys" # nobody types, and it never ends: termtosvg stops at the end of what is typed
echo 'Recording an upgrade.'
PATH=$bin:$PATH RECORDED=$work/recorded TERM=xterm-256color \
  termtosvg record "$work/cast" -c "bash --norc $work/scene" -g 80x24 0<>"$work/keys" >/dev/null
[[ -s $work/recorded ]] || { echo 'the upgrade did not come to its end, so nothing is written' >&2; exit 1; }
[[ -z ${KEEP_CAST:-} ]] || cp "$work/cast" "$KEEP_CAST"
termtosvg render "$work/cast" "$work/out.svg" -m 500 -M 1500 -D 4000 -t window_frame
# The animation is of styles alone: GitLab and browsers show it as a picture, and run no script of it.
! grep -q '<script' "$work/out.svg" || { echo 'the picture has a script' >&2; exit 1; }
mv "$work/out.svg" "$out"
echo "Wrote $out."
