package machine

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lab/machine/k0s"
)

// lab starts a lab for one test, on a network that no other test has.
func lab(t *testing.T, controllers, workers int) *Lab {
	t.Helper()
	return labOf(t, Options{Controllers: controllers, Workers: workers})
}

// labOf starts a lab of other options.
func labOf(t *testing.T, o Options) *Lab {
	t.Helper()
	o.Dir, o.Net, o.Exe = t.TempDir(), NetAuto, []string{"/absent", "applet"}
	o.Timing = k0s.Timing{Status: 50 * time.Millisecond, Start: 10 * time.Millisecond, Crash: 50 * time.Millisecond}
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Down)
	return l
}

// said is what a command left.
type said struct {
	out, err string
	status   int
}

func (s said) String() string { return fmt.Sprintf("rc=%d out=%q err=%q", s.status, s.out, s.err) }

func run(m *Machine, user, command, stdin string) said {
	var out, errs bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	rc := m.Run(ctx, user, command, strings.NewReader(stdin), &out, &errs)
	return said{out.String(), errs.String(), rc}
}

func TestCommands(t *testing.T) {
	m := lab(t, 1, 0).Machine("controller-1")
	address := m.Address
	for _, tc := range []struct {
		user, command, stdin string
		out                  string // exact, or a part of it when it begins with ~
		status               int
	}{
		// what k0sctl sends
		{"root", "uname | grep -q Linux", "", "", 0},
		{"root", "cat /etc/os-release || cat /usr/lib/os-release", "", "~ID=debian\n", 0},
		{"root", "uname -m", "", "x86_64\n", 0},
		{"root", "command -v curl", "", "/usr/bin/curl\n", 0},
		{"root", "command -v nosuchprogram", "", "", 127},
		{"root", "test -f /.dockerenv", "", "", 1},
		{"root", "cat /proc/1/cgroup", "", "0::/init.scope\n", 0},
		{"root", `[ "$(id -u)" = 0 ]`, "", "", 0},
		{"ops", `[ "$(id -u)" = 0 ]`, "", "", 1},
		{"ops", `sudo -n -- "${SHELL-sh}" -c true`, "", "", 0},
		{"ops", `sudo -n -- "${SHELL-sh}" -c 'id -un; echo $HOME; pwd'`, "", "root\n/root\n/home/ops\n", 0},
		{"root", "stat -c %n /", "", "/\n", 0},
		{"root", `env -i PATH="$PATH" LC_ALL=C stat -c '%#f %s %.9Y //%n//' -- /usr/local/bin 2> /dev/null`, "", "~0x41ed 4096 ", 0},
		{"root", `env -i PATH="$PATH" LC_ALL=C stat -c '%#f %s %.9Y //%n//' -- /tmp 2> /dev/null`, "", "~0x43ff 4096 ", 0},
		{"root", `env -i PATH="$PATH" LC_ALL=C stat -c '%#f %s %.9Y //%n//' -- /absent 2> /dev/null`, "", "", 1},
		{"root", `stat -c "%s" /usr/local/bin 2> /dev/null || stat -f "%k" /usr/local/bin`, "", "4096\n", 0},
		{"root", "find /usr/local/bin -maxdepth 1 -print0", "", "/usr/local/bin\x00", 0},
		{"root", "echo ${TMPDIR:-/tmp}", "", "/tmp\n", 0},
		{"root", `PATH=/usr/local/sbin:/usr/sbin:/sbin:$PATH; (ip route list scope global | grep -E "\b(172|10|192\.168)\.") || (ip route list | grep -m1 default)`, "", "default via " + address + " dev eth0\n", 0},
		{"root", "PATH=/usr/local/sbin:/usr/sbin:/sbin:$PATH ip -o addr show dev eth0 scope global", "", "~inet " + address + "/8", 0},
		{"root", "dd if=/dev/stdin of=/tmp/up bs=4096 seek=0 conv=notrunc && sha256sum -b /tmp/up", "hello",
			"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 */tmp/up\n", 0},
		{"root", "install -D -m 0600 /dev/stdin /tmp/a/b && cat -- /tmp/a/b && stat -c %a /tmp/a/b", "text\n", "text\n600\n", 0},
		{"root", "touch --help 2>&1", "", "~-d, --date=STRING", 0},
		{"root", "[ -e /tmp/a/b ] && env -i PATH=\"$PATH\" LC_ALL=C TZ=UTC touch -a -d 1970-01-01T00:00:00.000000000 -m -d " +
			"2026-11-21T21:11:37.715961043 -- /tmp/a/b; stat -c %.9Y /tmp/a/b", "", "1795295497.715961043\n", 0},
		{"root", "rm -f /tmp/a", "", "", 1},
		{"root", "mktemp -d -- /tmp/XXXXXX | wc -c", "", "12\n", 0},
		{"root", "stat /run/systemd/system", "", "~directory", 0},
		{"root", "systemctl show -p FragmentPath k0sworker.service | cut -d= -f2", "", "\n", 0},
		{"root", "systemctl status k0sworker | grep -q '(running)'", "", "", 1},
		{"root", `sh -c 'grep -qF -- "$1" "$2" >/dev/null 2>&1; printf '"'"'%s'"'"' "$?"' sh ' generated-by-k0sctl' /etc/hostname`, "", "1", 0},
		{"root", "export FOO='a b'\n", "", "", 0},
		{"root", "date -u +%s | wc -c", "", "11\n", 0},
		// the shell and the programs
		{"root", "for i in 1 2 3; do echo $i; done | sort -r | head -n 2 | tr '\\n' ' '", "", "3 2 ", 0},
		{"root", "printf 'a=1\\nb=2\\n' | sed -n 's/^b=//p'", "", "2\n", 0},
		{"root", "printf 'x:y:z' | cut -d: -f2-", "", "y:z\n", 0},
		{"root", "printf abc | base64 | base64 -d", "", "abc", 0},
		{"root", "umask 077; echo x >/tmp/u; stat -c %a /tmp/u", "", "600\n", 0},
		{"root", "df -Pk / | tail -n +2 | tr -s ' ' | cut -d' ' -f4", "", "52428800\n", 0},
		{"root", "echo one two | xargs -n 1 echo", "", "one\ntwo\n", 0},
		{"root", "cd /etc && ls os-release && cd .. && pwd", "", "os-release\n/\n", 0},
		{"root", "timeout 0.1 sleep 5", "", "", 124},
		{"root", "[[ a = a ]]", "", "", 2}, // no bash here
		{"root", "a=(1 2)", "", "", 2},
		{"root", "nosuchprogram", "", "", 127},
		{"root", "grep --no-such-option x", "", "", 2},
		{"ops", "cat /etc/machine-id | wc -c", "", "33\n", 0},
		{"ops", "ls /root", "", "", 2},
		{"ops", "echo x > /etc/forbidden", "", "", 1},
		{"ops", "systemctl start k0sworker", "", "", 1},
	} {
		got := run(m, tc.user, tc.command, tc.stdin)
		want, part := strings.CutPrefix(tc.out, "~")
		if got.status != tc.status || part && !strings.Contains(got.out, want) || !part && got.out != want {
			t.Errorf("%s$ %s\ngot  %s\nwant rc=%d out=%q", tc.user, tc.command, got, tc.status, tc.out)
		}
	}
}

// binary puts a release on the machine.
func binary(t *testing.T, m *Machine, version string) {
	t.Helper()
	if got := run(m, "root", "install -D -m 0750 /dev/stdin /usr/local/bin/k0s", string(k0s.Binary(version))); got.status != 0 {
		t.Fatal(got)
	}
}

func TestK0sCommandLine(t *testing.T) {
	m := lab(t, 1, 0).Machine("controller-1")
	binary(t, m, "v1.35.7+k0s.0")
	for _, tc := range []struct {
		command, stdin, out, err string // parts
		status                   int
	}{
		{"k0s version", "", "v1.35.7+k0s.0\n", "", 0},
		{"k0s status -o json", "", "", "status.sock", 1},
		{"k0s etcd leave --peer-address 127.0.0.1 --datadir /var/lib/k0s", "", "", "Error: unknown flag: --datadir", 1}, // H6
		{"k0s nosuch", "", "", `unknown command "nosuch"`, 1},
		{"k0s config create --data-dir=/var/lib/k0s", "", "kind: ClusterConfig", "", 0},
		{"k0s config create | k0s config validate --config=-", "", "", "", 0},
		{"k0s config validate --config=-", "apiVersion: k0s.k0sproject.io/v1beta1\nkind: ClusterConfig\nspec: {}\n", "", "", 0},
		{"k0s config validate --config=-", "speck: {}\n", "", `unknown field "speck"`, 1},
		{"k0s config validate --config=-", "spec: {network: {podCIDR: nonsense}}\n", "", "podCIDR", 1},
		{"k0s config validate --config=-", "a: b: c\n", "", "Error:", 1},
		{"k0s config validate --config=/absent", "", "", "no such file", 1},
		{"k0s install worker --token-file=/etc/k0s/k0stoken --ignore-pre-flight-checks --force", "", "", "", 0},
		// H38
		{"grep ExecStart= /etc/systemd/system/k0sworker.service", "",
			"ExecStart=/usr/local/bin/k0s worker --ignore-pre-flight-checks=true --token-file=/etc/k0s/k0stoken\n", "", 0},
		{"k0s install worker", "", "", "Init already exists", 1},
		{"k0s install worker --env=A=b --force", "", "", "", 0},
		{"grep -c env /etc/systemd/system/k0sworker.service", "", "0\n", "", 1},
		{"grep Environment= /etc/systemd/system/k0sworker.service", "", `Environment="A=b"`, "", 0},
		{"systemctl is-enabled k0sworker", "", "enabled\n", "", 0},
		{"k0s reset --data-dir=/var/lib/k0s", "", "", "", 0},
		{"systemctl is-enabled k0sworker", "", "", "No such file", 1},
		{"k0s backup --save-path=/tmp", "", "", "not running", 1},
	} {
		got := run(m, "root", tc.command, tc.stdin)
		if got.status != tc.status || !strings.Contains(got.out, tc.out) || !strings.Contains(got.err, tc.err) {
			t.Errorf("$ %s\ngot  %s\nwant rc=%d out=%q err=%q", tc.command, got, tc.status, tc.out, tc.err)
		}
	}
	if got := run(m, "ops", "k0s version", ""); got.status != 126 {
		t.Errorf("k0s is 0750 and root's, but ops got %s", got)
	}
	if err := m.Fault("corrupt"); err != nil {
		t.Fatal(err)
	}
	if got := run(m, "root", "k0s version", ""); got.status != 126 ||
		!strings.Contains(got.err, "cannot execute binary file: Exec format error") {
		t.Errorf("a damaged binary: %s", got)
	}
}

// TestCrashLoop is hazard H37: the service is up for a moment after each start, systemd says so, and then it is not.
func TestCrashLoop(t *testing.T) {
	m := lab(t, 0, 1).Machine("worker-1")
	binary(t, m, "v1.36.3+k0s.2")
	if err := m.Fault("crash", "v1.36.3+k0s.2"); err != nil {
		t.Fatal(err)
	}
	if got := run(m, "root", "k0s install worker && sed -i 's/^RestartSec=.*/RestartSec=0.1/' /etc/systemd/system/k0sworker.service && "+
		"systemctl start k0sworker", ""); got.status != 0 {
		t.Fatalf("not started: %s", got)
	}
	seen := map[string]bool{}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline) && len(seen) < 3; time.Sleep(5 * time.Millisecond) {
		got := run(m, "root", "systemctl show -p NRestarts -p ActiveState -p SubState k0sworker", "")
		if strings.Contains(got.out, "ActiveState=activating\nSubState=auto-restart\n") {
			seen["activating (auto-restart)"] = true
		}
		if strings.Contains(got.out, "ActiveState=active\n") {
			seen["active"] = true
			if !strings.Contains(got.out, "NRestarts=0\n") {
				seen["again"] = true
			}
		}
		if k := run(m, "root", "k0s status", ""); k.status == 0 {
			t.Fatalf("status answers for a service that crashes: %s", k)
		}
	}
	if len(seen) != 3 {
		t.Errorf("seen only %v", seen)
	}
	if got := run(m, "root", "systemctl stop k0sworker; systemctl is-active k0sworker", ""); got.out != "inactive\n" {
		t.Errorf("after stop: %s", got)
	}
}

func TestReadingChangesNothing(t *testing.T) {
	l := lab(t, 1, 0)
	m := l.Machine("controller-1")
	binary(t, m, "v1.35.7+k0s.0")
	mark := l.Mark()
	run(m, "root", "cat /etc/os-release; k0s version; k0s status; systemctl show k0scontroller; ls -la /etc; df; find / -maxdepth 2; "+
		"test -f /x; echo y >/dev/null; sudo -n true", "")
	changes, err := l.Changes(mark)
	if err != nil || len(changes) != 0 {
		t.Errorf("changes %v, %v", changes, err)
	}
	run(m, "root", "touch /tmp/x", "")
	if changes, _ = l.Changes(mark); len(changes) == 0 || changes[0].Path != "/tmp/x" || changes[0].Command != "touch /tmp/x" {
		t.Errorf("a change was not recorded: %v", changes)
	}
}

// TestSystemUsersComeWithK0s holds that a file cannot be given to the API server's user before k0s has made it.
func TestSystemUsersComeWithK0s(t *testing.T) {
	m := lab(t, 1, 0).Machine("controller-1")
	binary(t, m, "v1.35.7+k0s.0")
	const give = "touch /etc/x && chown kube-apiserver:root /etc/x && stat -c %U /etc/x"
	if got := run(m, "root", give, ""); got.status == 0 || !strings.Contains(got.err, "invalid user") {
		t.Errorf("before: %s", got)
	}
	run(m, "root", "k0s install controller && k0s install controller --force", "")
	if got := run(m, "root", give+" && grep -c kube-apiserver /etc/passwd", ""); got.out != "kube-apiserver\n1\n" {
		t.Errorf("after: %s", got)
	}
}
