# What a machine has, told in one go. It writes nothing, and waits for nothing longer than a few seconds.
# N frames the output: no program on the machine knows it. ROLE is what the site declares the machine to be: credentials are asked of
# controllers alone. BIN, DATA, CONF, TOKEN and LOCKS are the host's paths; its declared files are the script's arguments.
export LC_ALL=C TZ=UTC
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

fact() { printf '%s %s=%s\n' "$N" "$1" "$2"; }

# block prints what a command says, and how it ended
block() {
	printf '%s begin %s\n' "$N" "$1"
	name=$1
	shift
	"$@"
	printf '\n%s end %s %s\n' "$N" "$name" "$?"
}

# soon runs a command that may hang when k0s is half dead
soon() {
	if command -v timeout >/dev/null 2>&1; then
		timeout 8 "$@" </dev/null 2>&1
	else
		"$@" </dev/null 2>&1
	fi
}

quiet() { "$@" 2>/dev/null; }

osrelease() { quiet cat /etc/os-release || quiet cat /usr/lib/os-release; }

fact facts 1
fact clock "$(date +%s)"
fact hostname "$(quiet hostname || uname -n)"
fact kernel "$(uname -r)"
fact boot "$(quiet cat /proc/sys/kernel/random/boot_id)"
n=0
for f in "$LOCKS"/epoch.*; do
	quiet [ "${f##*.}" -gt "$n" ] && n=${f##*.}
done
[ "$n" = 0 ] || fact epoch "$n"
fact machine "$(uname -m)"
block os osrelease
[ -d /sys/fs/cgroup ] && [ ! -e /sys/fs/cgroup/cgroup.controllers ] && fact cgroup 1
dir=${BIN%/*}
block free quiet df -Pk "$dir"

[ -e "$BIN" ] && block version soon "$BIN" version
for f in "$dir"/k0s.kiban-*; do
	[ -s "$f" ] || continue # a name without content, as a power cut leaves it, is nothing
	case $f in
	*/k0s.kiban-former-*.service | */k0s.kiban-former-*.env) ;;
	*/k0s.kiban-former-*) fact former "${f##*/k0s.kiban-former-}" ;;
	*) fact staged "${f##*/k0s.kiban-}" ;;
	esac
done

command -v systemctl >/dev/null 2>&1 || fact systemd none
for u in k0scontroller k0sworker; do
	file=$(quiet systemctl show -p FragmentPath "$u.service")
	file=${file#FragmentPath=}
	[ -n "$file" ] || file=/etc/systemd/system/$u.service
	[ -f "$file" ] || continue
	fact unit "$u"
	block unitfile quiet cat "$file"
	# the folder that it has, whatever is declared: k0s does not move its data
	has=$(quiet grep '^ExecStart=.*--data-dir=/' "$file")
	if [ -n "$has" ]; then
		has=${has#*--data-dir=}
		DATA=${has%%[\" ]*}
	fi
	# in whatever order and quotes somebody wrote it
	given=/etc/systemd/system/$u.service.d/env.conf
	if quiet grep -q '^Environment=' "$given"; then
		sum=$(quiet sed -n 's/^Environment=//p' "$given" | tr -d "\"'" | sort | sha256sum)
		fact environment "${sum%% *}"
	fi
	block service quiet systemctl show -p ActiveState -p SubState -p ActiveEnterTimestamp -p NRestarts "$u.service"
	[ -e "$BIN" ] && block status soon "$BIN" status -o json
	if [ "$u" = k0scontroller ]; then
		[ "$ROLE" = controller ] && [ -f "$DATA/pki/admin.conf" ] && block kubeconfig quiet cat "$DATA/pki/admin.conf"
		[ -d "$DATA/etcd" ] && block etcd soon "$BIN" etcd member-list --data-dir="$DATA"
	fi
	break
done

[ -f "$CONF" ] && block config quiet cat "$CONF"
for f in "$DATA"/*; do
	[ -e "$f" ] && [ "${f##*/}" != lost+found ] && fact data 1 && break
done
[ -f "$DATA/kiban-restored" ] && fact restored "$(quiet cat "$DATA/kiban-restored")"
[ -f "$DATA/kubelet.conf" ] && fact server "$(quiet sed -n 's/^ *server: *//p' "$DATA/kubelet.conf")"
if [ -s "$TOKEN" ]; then
	first=
	quiet read -r first <"$TOKEN"
	case $first in
	'' | '#'*) ;;
	*) fact token 1 ;;
	esac
fi
for f; do
	[ -f "$f" ] || continue
	sum=$(quiet sha256sum <"$f")
	fact file "${sum%% *} $(quiet stat -L -c '%a %u %g %U %G' "$f") $f"
done
fact done 1
