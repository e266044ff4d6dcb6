# What a machine has, told in one go. It writes nothing, and waits for nothing longer than a few seconds; on a busy machine, some more.
# Each program that it starts costs the machine about a millisecond, each $(...) a part of that: the shell does what it can by itself, and
# one program is asked about all that it can tell at once.
# N frames the output: no program on the machine knows it. ROLE is what the site declares the machine to be: credentials are asked of
# controllers alone. BIN, DATA, CONF, TOKEN, ETC and LOCKS are the host's paths; its declared files are the arguments after these.
N=$1 ROLE=$2 BIN=$3 DATA=$4 CONF=$5 TOKEN=$6 ETC=$7 LOCKS=$8
shift 8
export LC_ALL=C TZ=UTC
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# fact tells one. Its name, and how many of it there may be, stand in bounds.go, or it is not believed; parse.go reads it.
fact() { printf '%s %s=%s\n' "$N" "$1" "$2"; }

# quiet is for the shell's own commands and for what a block runs: within $(...) it would cost a process more
quiet() { "$@" 2>/dev/null; }

# block prints what a command says, and how it ended
block() {
	printf '%s begin %s\n' "$N" "$1"
	name=$1
	shift
	"$@"
	printf '\n%s end %s %s\n' "$N" "$name" "$?"
}

# soon runs a command that may hang when k0s is half dead. PATIENCE is how many seconds it gets: more where twice as much wants to run as
# there are processors
PATIENCE=8
load=
quiet read -r load </proc/loadavg && load=${load%% *}
cpus=$(nproc 2>/dev/null) || cpus=1
quiet [ "${load%%.*}" -ge "$((2 * cpus))" ] && PATIENCE=20
soon() { within "$PATIENCE" "$@"; }

# ETCD is how many seconds each of the questions to etcd gets, on a busy machine, too: an etcd that hangs must not hold all the rest for long
ETCD=12

# within gives a command so many seconds, and two more to end
within() {
	seconds=$1
	shift
	if command -v timeout >/dev/null 2>&1; then
		timeout -k 2 "$seconds" "$@" </dev/null 2>&1
	else
		"$@" </dev/null 2>&1
	fi
}

line='
'
ours=
for f; do
	ours="$ours
$f"
done
ours="$ours
"

# foreign reports whether a folder of k0s's data holds more than empty folders, images, and what the site declares to be put there: a machine
# that has no more than these was never a member
foreign() {
	for f in "$1"/* "$1"/.[!.]*; do
		[ -e "$f" ] || continue
		case $f in "$DATA/images" | "$DATA/lost+found") continue ;; esac
		case $ours in
		*"
${f%.kiban-new}
"*) continue ;; # also one whose upload broke off
		*"
$f/"*)
			foreign "$f" && return 0
			continue
			;;
		esac
		[ -d "$f" ] && [ ! -L "$f" ] && hollow "$f" && continue
		return 0
	done
	return 1
}

hollow() {
	for e in "$1"/* "$1"/.[!.]* "$1"/..?*; do
		[ -e "$e" ] || [ -L "$e" ] || continue
		return 1
	done
}

# ran says what a controller's k0s has started since a moment: "log" when its log reaches back to before that, "whole" when all of it was
# read since, and the parts of the control plane that are named in it. The moment is the last entry before it, which a clock that was set
# does not move; where an older kiban kept none, it is the clock's.
ran() {
	if [ -n "$2" ]; then
		before=$(soon journalctl -u k0scontroller --cursor="$2" -n 1 -q --show-cursor --no-pager -o cat) || return
		[ "${before##*-- cursor: }" = "$2" ] || return
		set -- --after-cursor "$2"
	else
		before=$(soon journalctl -u k0scontroller --until "@$1" -n 1 --no-pager -o cat) || return
		case $before in '' | '-- No entries --') return ;; esac
		set -- --since "@$1"
	fi
	echo log
	{
		soon journalctl -u k0scontroller "$1" "$2" --no-pager -o cat && echo 'component=whole'
	} | grep -oE 'component=(etcd|kine|kube-apiserver|whole)' | sort -u
}

# certificates prints those that k0s makes and trusts, and the kubelet's: of each file its heading and the certificates, never a key
certificates() {
	set --
	for f in pki/ca pki/front-proxy-ca pki/front-proxy-client pki/admin pki/konnectivity pki/ccm pki/scheduler pki/apiserver-kubelet-client \
		pki/server pki/k0s-api pki/apiserver-etcd-client pki/etcd/ca pki/etcd/server pki/etcd/peer; do
		[ -f "$DATA/$f.crt" ] && set -- "$@" "$f.crt"
	done
	for f in kubelet-client kubelet-server; do
		[ -f "$DATA/kubelet/pki/$f-current.pem" ] && set -- "$@" "kubelet/pki/$f-current.pem"
	done
	[ -f "$DATA/pki/ca.key" ] && echo key ca
	[ -f "$DATA/pki/etcd/ca.key" ] && echo key etcd/ca
	{
		cd "$DATA" && exec head -c 65536 "$@" /dev/null
	} 2>/dev/null | sed -n -e '/^==> .* <==$/p' -e '/^-----BEGIN .*KEY-----/,/^-----END .*KEY-----/d' \
		-e '/^-----BEGIN CERTIFICATE-----$/,/^-----END CERTIFICATE-----$/p'
}

# etcdsays asks etcd on its client port, which k0s binds to the machine itself, as the API server does: what it is like, and of its metrics
# a few. One curl does both, for etcd serves its metrics to any method; each has a bound of its own, so that one that hangs does not hide
# the other. All of the pipe is bounded, too.
etcdsays() {
	command -v curl >/dev/null 2>&1 || {
		echo 'curl: it is not installed there'
		return 1
	}
	within "$ETCD" sh -c 'data=$1
		shift
		curl -sS -m 5 --noproxy "*" --cacert "$data/pki/etcd/ca.crt" --cert "$data/pki/apiserver-etcd-client.crt" \
			--key "$data/pki/apiserver-etcd-client.key" -d "{}" https://127.0.0.1:2379/v3/maintenance/status \
			https://127.0.0.1:2379/metrics 2>&1 | grep -E "$@"' sh "$DATA" \
		-e '^(\{|curl:|process_start_time_seconds |etcd_server_(leader_changes_seen_total|quota_backend_bytes) )' \
		-e '^etcd_disk_wal_fsync_duration_seconds_(count |bucket\{le="0\.512"\})'
}

status() { block status soon "$BIN" status -o json; }

# etcds asks all that may hang when etcd does, side by side: a controller that is a worker, too, asks the API for its own status. Each shows
# what those before it in the pipe said when it has told its own.
etcds() {
	block etcdsays etcdsays | {
		block etcd within "$ETCD" "$BIN" etcd member-list --data-dir="$DATA"
		cat
	} | {
		[ -e "$BIN" ] && status
		cat
	}
}

# heldback reports whether k0s's configuration has its programs act as another release
heldback() {
	while read -r text || [ -n "$text" ]; do
		case $text in *emulated-version*) return 0 ;; esac
	done <"$CONF"
	return 1
}

# acts asks controller manager and scheduler, on the ports that they bind to the machine itself, which release they act as
acts() {
	for p in kube-controller-manager:10257 kube-scheduler:10259; do
		soon curl -sSk --noproxy '*' --cert "$DATA/pki/admin.crt" --key "$DATA/pki/admin.key" "https://127.0.0.1:${p#*:}/metrics" |
			grep '^version_info{' | sed -e "s/^/${p%:*} /"
	done
}

osrelease() { quiet cat /etc/os-release || quiet cat /usr/lib/os-release; }

fact facts 1
fact load "$load $cpus"
fact patience "$PATIENCE"
fact clock "$(date +%s)"
up=
quiet read -r up rest </proc/uptime && fact uptime "$up"
names=$(uname -nrm)
fact machine "${names##* }"
names=${names% *}
fact kernel "${names##* }"
fact hostname "${names% *}"
boot=/proc/sys/kernel/random/boot_id
[ -f "$boot" ] && quiet read -r boot <"$boot" && fact boot "$boot"
n=0
for f in "$LOCKS"/epoch.*; do
	quiet [ "${f##*.}" -gt "$n" ] && n=${f##*.}
done
[ "$n" = 0 ] || fact epoch "$n"
block os osrelease
mem=
swap=0
if [ -r /proc/meminfo ]; then
	while read -r key size rest; do
		case $key in
		MemTotal:) mem=$size ;;
		SwapTotal:)
			swap=$size
			break
			;;
		esac
	done </proc/meminfo
fi
[ -z "$mem" ] || fact memory "$mem $swap"
[ -d /sys/fs/cgroup ] && [ ! -e /sys/fs/cgroup/cgroup.controllers ] && fact cgroup 1

dir=${BIN%/*}
former=
kept=
left=
[ -e "$BIN" ] && block version soon "$BIN" version
for f in "$dir"/k0s.kiban-*; do
	[ -s "$f" ] || continue # a name without content, as a power cut leaves it, is nothing
	case $f in
	*/k0s.kiban-former-*.service | */k0s.kiban-former-*.env | */k0s.kiban-former-*.since) ;;
	*/k0s.kiban-kept)
		at=
		run=
		{ read -r at && kept=1 && fact kept "$at" && read -r run && fact keptrun "${run#InvocationID=}"; } <"$f" 2>/dev/null
		;;
	*/k0s.kiban-kept.*) left=1 ;; # without the one above it is of a run that was cut off before all was kept
	*/k0s.kiban-former-*.files | */k0s.kiban-former-*.file[0-9]*) ;;
	*/k0s.kiban-former-*)
		fact former "${f##*/k0s.kiban-former-}"
		former=$f
		;;
	*) fact staged "${f##*/k0s.kiban-}" ;;
	esac
done

[ -z "$kept" ] && [ -n "$left" ] && fact halfkept 1

command -v systemctl >/dev/null 2>&1 || fact systemd none
both=$(systemctl show -p FragmentPath -p ActiveState -p SubState -p ActiveEnterTimestamp -p ActiveEnterTimestampMonotonic -p InvocationID \
	-p NRestarts k0scontroller.service k0sworker.service 2>/dev/null)
for u in k0scontroller k0sworker; do
	service=${both%%"$line$line"*}
	both=${both#*"$line$line"}
	file=${service#*FragmentPath=}
	[ "$file" = "$service" ] && file=
	file=${file%%"$line"*}
	[ -n "$file" ] || file=/etc/systemd/system/$u.service
	[ -f "$file" ] || continue
	fact unit "$u"
	block unitfile quiet cat "$file"
	# the folder that it has, whatever is declared: k0s does not move its data
	has=$(grep '^ExecStart=.*--data-dir=/' "$file" 2>/dev/null)
	if [ -n "$has" ]; then
		has=${has#*--data-dir=}
		DATA=${has%%[\" ]*}
	fi
	# in whatever order and quotes somebody wrote it
	given=/etc/systemd/system/$u.service.d/env.conf
	if [ -f "$given" ] && quiet grep -q '^Environment=' "$given"; then
		sum=$(sed -n 's/^Environment=//p' "$given" 2>/dev/null | tr -d "\"'" | sort | sha256sum)
		fact environment "${sum%% *}"
	fi
	block certificates certificates
	block service printf '%s\n' "$service"
	if [ "$u" = k0scontroller ] && [ -d "$DATA/etcd" ]; then
		etcds
	elif [ -e "$BIN" ]; then
		status
	fi
	if [ "$u" = k0scontroller ]; then
		[ "$ROLE" = controller ] && [ -f "$DATA/pki/admin.conf" ] && block kubeconfig quiet cat "$DATA/pki/admin.conf"
		since=
		was=
		cursor=
		[ -s "$former.since" ] && while read -r key rest; do
			case $key in
			config) was=$rest ;;
			cursor) cursor=$rest ;;
			*) since=$key ;;
			esac
		done <"$former.since"
		[ -n "$since" ] && block ran ran "$since" "$cursor"
		# a control plane that is held back to act as its former release
		if [ -f "$CONF" ] && quiet heldback; then
			block acts acts
			# By what the file was when the former k0s had stopped. An older kiban kept only when that was.
			changed=$(stat -c '%Z %i %z' "$CONF" 2>/dev/null)
			if [ -n "$was" ]; then
				[ "${changed#* }" = "$was" ] && fact pinheld 1
			elif [ -n "$since" ]; then
				quiet [ "${changed%% *}" -le "${since%%.*}" ] && fact pinheld 1
			fi
		fi
	fi
	break
done

# the binary's filesystem comes first
if [ ! -e "$DATA" ]; then
	block free quiet df -Pk "$dir"
elif [ ! -e "$dir" ]; then
	block room quiet df -Pk "$DATA"
else
	block free quiet df -Pk "$dir" "$DATA"
fi
[ -f "$CONF" ] && block config quiet cat "$CONF"
foreign "$DATA" && fact data 1
[ -f "$DATA/kiban-restored" ] && fact restored "$(cat "$DATA/kiban-restored" 2>/dev/null)"
[ -f "$DATA/kubelet.conf" ] && fact server "$(sed -n 's/^ *server: *//p' "$DATA/kubelet.conf" 2>/dev/null)"
if [ -s "$TOKEN" ]; then
	first=
	quiet read -r first <"$TOKEN"
	case $first in
	'' | '#'*) first= ;;
	*) fact token 1 ;;
	esac
	[ -z "$first" ] && [ ! -e "$DATA/kubelet.conf" ] && fact spent 1
fi
for f; do
	[ -f "$f" ] || continue
	sum=$(sha256sum <"$f" 2>/dev/null)
	fact file "${sum%% *} $(stat -L -c '%a %u %g %U %G' "$f" 2>/dev/null) $f"
done
# what k0s gives to its containerd beside its own configuration, and in which version of containerd's format it is written
n=0
for f in "$ETC/containerd.toml" "$ETC"/containerd.d/*.toml "$ETC"/containerd.d/.[!.]*.toml; do
	[ -f "$f" ] && [ "$n" -lt 64 ] || continue
	if [ "$f" = "$ETC/containerd.toml" ] && { IFS= read -r first <"$f"; } 2>/dev/null && [ "$first" = '# k0s_managed=true' ]; then
		continue
	fi
	n=$((n + 1))
	text=$(head -c 262144 "$f" 2>/dev/null | sed -e 's/#.*//')
	sum=$(head -c 262144 "$f" 2>/dev/null | sha256sum)
	form=$(printf '%s\n' "$text" | sed -n -e '/^[[:space:]]*\[/q' -e 's/^[[:space:]]*version[[:space:]]*=[[:space:]]*\([0-9][0-9]*\)[[:space:]]*$/\1/p')
	case $form:$text in
	[0-9]*:*) ;;
	*io.containerd.grpc.v1.cri*) form=2 ;;
	*io.containerd.cri.v1.*) form=3 ;;
	*) form=0 ;;
	esac
	fact dropin "${sum%% *} $form ${f#"$ETC"/}"
done
fact done 1
