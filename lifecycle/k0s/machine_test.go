package k0s

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	bigendian "encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	cryptossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"kiban.dev/kiban/lifecycle"
)

// fake is a machine for tests: an SSH server that runs commands in the real shell of this machine, with a k0s and a systemctl of
// its own, and all of k0s's paths under one folder.
type fake struct {
	t        *testing.T
	name     string
	root     string
	port     int
	hostKey  cryptossh.Signer
	allowed  cryptossh.PublicKey
	mu       sync.Mutex
	shell    string // the login shell; "" is sh
	commands []string
	hang     bool // commands do not end
	deaf     bool // the server reads and says nothing any more
	away     bool // connections end at once
	open     []net.Conn
	// says takes the place of what commands would print; it ends when the other side has heard enough.
	says func(stdout, stderr io.Writer)
}

// the programs of a fake machine; $ROOT is its folder
const fakeSystemctl = `#!/bin/sh
unit=$ROOT/unit/$2.service; unit=${unit%.service.service}; unit=${unit%.service}.service
case $1 in
show)
	# the number of the unit's last start takes the place of its name
	ran() { [ ! -f "$ROOT/starts.${1%.service}" ] || printf 'InvocationID=%032d\n' "$(cat "$ROOT/starts.${1%.service}")"; }
	[ "$2 $3" = "-p InvocationID" ] && { ran "$4"; exit 0; }
	between=
	show() { printf "$1"; }
	for a; do
		case $a in *.service) ;; *) continue ;; esac
		printf "$between"; between='\n'
		case "$*" in *ActiveState*) ;; *) show() { :; } ;; esac
		if [ -f "$ROOT/crashes" ]; then
			show 'NRestarts=7\nActiveEnterTimestamp=\nActiveState=activating\nSubState=auto-restart\n'
		elif [ -f "$ROOT/running/${a%.service}" ]; then
			show 'NRestarts=0\nActiveEnterTimestamp=Sat 2026-11-21 21:11:37 UTC\nActiveState=active\nSubState=running\n'
			[ "$(show x)" = x ] && ran "$a"
		else show 'NRestarts=0\nActiveEnterTimestamp=\nActiveState=inactive\nSubState=dead\n'; fi
		if [ -f "$ROOT/unit/$a" ]; then echo "FragmentPath=$ROOT/unit/$a"; else echo "FragmentPath="; fi
	done ;;
start) [ -f "$ROOT/fail-start" ] && exit 1; [ -f "$ROOT/crash" ] && touch "$ROOT/crashes" && exit 0
	mkdir -p "$ROOT/running" "$ROOT/data"; [ "$2" = k0scontroller ] && mkdir -p "$ROOT/data/etcd"
	[ -f "$ROOT/running/$2" ] || echo $(($(cat "$ROOT/starts.$2" 2>/dev/null || echo 0) + 1)) > "$ROOT/starts.$2"
	"$ROOT/bin/k0s" version > "$ROOT/running/$2"; echo x > "$ROOT/data/kubelet.conf" ;;
stop) rm -f "$ROOT/running/$2" ;;
status) { [ -f "$ROOT/crashes" ] || [ -f "$ROOT/running/$2" ]; } && echo 'Active: active (running) since' ;;
esac
exit 0
`

const fakeK0s = `#!/bin/sh
# VERSION
v=$(sed -n 's/^#@//p' "$0")
running=$(cat "$ROOT"/running/* 2>/dev/null)
case $1 in
version) echo "$v" ;;
status) [ -n "$running" ] || { echo "no socket" >&2; exit 1; }; role=worker; [ -f "$ROOT/running/k0scontroller" ] && role=controller
	printf '{"Version":"%s","Pid":1,"Role":"%s","Workloads":true}' "$running" "$role" ;;
install) role=$2; shift 2; unit=$ROOT/unit/k0s$role.service; args=
	for a; do case $a in --force*) force=1 ;; *) args="$args $(printf %s "$a" | sed 's/ /\\x20/g')" ;; esac; done
	[ -f "$unit" ] && [ -z "$force" ] && { echo "Init already exists" >&2; exit 1; }
	mkdir -p "$ROOT/unit"; printf '%s\n' "ExecStart=$ROOT/bin/k0s $role$args" > "$unit" ;;
config) grep -q reject-me "${3#--config=}" && { echo "Error: spec is bad" >&2; exit 1; }; exit 0 ;;
token) [ "$2" = create ] && cat "$ROOT/token"; [ "$2" = invalidate ] && {
	[ -e "$ROOT/token-gone" ] && { echo "Error: secrets \"bootstrap-token-$4\" not found" >&2; exit 1; }
	echo "$4" >> "$ROOT/invalidated"; }; exit 0 ;;
etcd) [ "$2" = leave ] && echo "$*" >> "$ROOT/left" && exit 0
	[ -f "$ROOT/no-quorum" ] && { echo "Error: context deadline exceeded" >&2; exit 1; }
	echo '{"members":{"c1":"https://10.0.0.11:2380","c2":"https://10.0.0.12:2380"}}' ;;
backup) cat "$ROOT/backup.tar.gz" ;;
restore) mkdir -p "$ROOT/data/pki"; cat > "$ROOT/data/db"
	grep -q "the end" "$ROOT/data/db" || { echo "Error: unexpected EOF" >&2; exit 1; }
	for a; do case $a in --config-out=*) echo "{restored: true}" > "${a#--config-out=}" ;; esac; done ;;
reset) [ -f "$ROOT/fail-reset" ] && exit 1; rm -rf "$ROOT/data" "$ROOT/unit" ;;
sysinfo) echo "$*" >> "$ROOT/asked"; cat "$ROOT/sysinfo" 2>/dev/null && exit 1
	echo '[{"path":["os"],"displayName":"Operating system","prop":"Linux","message":"","category":"pass","error":null}]' ;;
kubectl) exit 0 ;;
*) echo "unknown command $1" >&2; exit 1 ;;
esac
`

// standIn is a k0s of that version for fake machines.
func standIn(version string) string { return fakeK0s + "#@" + version + "\n" }

func newFake(t *testing.T, name string, client cryptossh.PublicKey) *fake {
	t.Helper()
	f := &fake{t: t, name: name, root: t.TempDir(), allowed: client}
	for _, dir := range []string{"bin", "etc"} {
		if err := os.MkdirAll(filepath.Join(f.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f.write("bin/systemctl", fakeSystemctl, 0o755)
	f.hostKey = newSigner(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	f.port = l.Addr().(*net.TCPAddr).Port
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			away := f.away
			f.open = append(f.open, c)
			f.mu.Unlock()
			if away {
				c.Close()
				continue
			}
			go f.serve(c)
		}
	}()
	return f
}

// leaves has the machine go down for a while: its connections end, and there are no new ones.
func (f *fake) leaves(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = true
	for _, c := range f.open {
		c.Close()
	}
	f.open = nil
	time.AfterFunc(d, func() { f.set(func() { f.away = false }) })
}

func (f *fake) write(name, text string, mode os.FileMode) {
	f.t.Helper()
	path := filepath.Join(f.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fake) read(name string) string {
	b, _ := os.ReadFile(filepath.Join(f.root, name))
	return string(b)
}

// files are the machine's files, by name.
func (f *fake) files() []string {
	f.t.Helper()
	var out []string
	err := filepath.WalkDir(f.root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(f.root, path) // it is below it
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

func (f *fake) sent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.commands...)
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) serve(c net.Conn) {
	f.mu.Lock()
	hostKey, allowed := f.hostKey, f.allowed
	f.mu.Unlock()
	config := &cryptossh.ServerConfig{ServerVersion: "SSH-2.0-test_linux",
		PublicKeyCallback: func(_ cryptossh.ConnMetadata, key cryptossh.PublicKey) (*cryptossh.Permissions, error) {
			if string(key.Marshal()) != string(allowed.Marshal()) {
				return nil, fmt.Errorf("unknown key")
			}
			return nil, nil
		}}
	config.AddHostKey(hostKey)
	_, channels, requests, err := cryptossh.NewServerConn(&silenced{Conn: c, f: f}, config)
	if err != nil {
		return
	}
	go cryptossh.DiscardRequests(requests)
	for ch := range channels {
		switch ch.ChannelType() {
		case "session":
			go f.session(ch)
		case "direct-tcpip":
			go forward(ch)
		default:
			_ = ch.Reject(cryptossh.UnknownChannelType, "")
		}
	}
}

// silenced drops what a deaf machine would say.
type silenced struct {
	net.Conn
	f *fake
}

func (s *silenced) Write(p []byte) (int, error) {
	s.f.mu.Lock()
	deaf := s.f.deaf
	s.f.mu.Unlock()
	if deaf {
		return len(p), nil
	}
	return s.Conn.Write(p)
}

func forward(ch cryptossh.NewChannel) {
	var to struct {
		Host string
		Port uint32
		From string
		Orig uint32
	}
	if cryptossh.Unmarshal(ch.ExtraData(), &to) != nil {
		return
	}
	c, err := net.Dial("tcp", net.JoinHostPort(to.Host, fmt.Sprint(to.Port)))
	if err != nil {
		_ = ch.Reject(cryptossh.ConnectionFailed, err.Error())
		return
	}
	s, _, err := ch.Accept()
	if err != nil {
		return
	}
	go func() { _, _ = io.Copy(s, c); s.Close() }()
	_, _ = io.Copy(c, s)
	c.Close()
}

func (f *fake) session(ch cryptossh.NewChannel) {
	s, requests, err := ch.Accept()
	if err != nil {
		return
	}
	for r := range requests {
		if r.Type != "exec" {
			_ = r.Reply(false, nil)
			continue
		}
		_ = r.Reply(true, nil)
		command := string(r.Payload[4:])
		f.mu.Lock()
		f.commands = append(f.commands, command)
		hang, says := f.hang, f.says
		f.mu.Unlock()
		go func() {
			if says != nil {
				says(s, s.Stderr())
				s.Close()
				return
			}
			if hang {
				command = "sleep 60"
			}
			code := f.exec(command, s)
			status := make([]byte, 4)
			bigendian.BigEndian.PutUint32(status, uint32(code))
			_, _ = s.SendRequest("exit-status", false, status)
			s.Close()
		}()
	}
}

func (f *fake) exec(command string, s cryptossh.Channel) int {
	c := exec.Command(cmp.Or(f.shell, "sh"), "-c", command) // as sshd does
	c.Env = []string{"ROOT=" + f.root, "PATH=" + f.root + "/bin:" + os.Getenv("PATH"), "SHELL=" + cmp.Or(f.shell, "/bin/sh")}
	stdin, _ := c.StdinPipe()
	c.Stdout, c.Stderr = s, s.Stderr()
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		return 127
	}
	f.t.Cleanup(func() { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) })
	go func() { _, _ = io.Copy(stdin, s); stdin.Close() }()
	if err := c.Wait(); err != nil {
		if c.ProcessState != nil && c.ProcessState.ExitCode() >= 0 {
			return c.ProcessState.ExitCode()
		}
		return 1
	}
	return 0
}

func newSigner(t *testing.T) cryptossh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := cryptossh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// farm is a site of fake machines.
type farm struct {
	t     *testing.T
	dir   string
	fakes map[string]*fake
	order []string
	key   cryptossh.PublicKey
	extra map[string]string // further lines of a host in the document
	spec  string            // spec.k0s beside the version, indented
	audit []Command
	// auditErr: the record of commands can't be written.
	auditErr error
	log      *slog.Logger
	mu       sync.Mutex
	// behind is what was said of the backup that was kept last.
	behind *lifecycle.Diagnostic
	// restore is the backup that sessions are given.
	restore *Archive
}

// newFarm makes machines "c…" controllers, "w…" workers, with releases of three versions to install.
func newFarm(t *testing.T, names ...string) *farm {
	t.Helper()
	f := &farm{t: t, dir: t.TempDir(), fakes: map[string]*fake{}, order: names, extra: map[string]string{}}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := cryptossh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	f.write("id", string(pem.EncodeToMemory(block)))
	if f.key, err = cryptossh.NewPublicKey(key.Public()); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f.fakes[name] = newFake(t, name, f.key)
	}
	f.trust(names...)
	for _, v := range []string{"v1.34.10+k0s.0", "v1.35.7+k0s.0", "v1.36.3+k0s.2"} {
		f.release(v, standIn(v))
	}
	return f
}

func (f *farm) write(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *farm) release(version, content string) {
	name := "k0s-" + version + "-amd64"
	f.write("mirror/"+version+"/"+name, content)
	f.write("mirror/"+version+"/sha256sums.txt", strings.TrimPrefix(digest([]byte(content)), "sha256:")+" *"+name+"\n")
}

// trust writes the known_hosts file.
func (f *farm) trust(names ...string) {
	var b strings.Builder
	for _, name := range names {
		m := f.fakes[name]
		b.WriteString(knownhosts.Line([]string{fmt.Sprintf("[127.0.0.1]:%d", m.port)}, m.hostKey.PublicKey()) + "\n")
	}
	f.write("known_hosts", b.String())
}

func (f *farm) site(version string) lifecycle.Site {
	f.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nmetadata: {name: farm}\nspec:\n  k0s:\n    version: %s\n"+
		"%s  hosts:\n", version, f.spec)
	for i, name := range f.order {
		role := "worker"
		if strings.HasPrefix(name, "c") {
			role = "controller"
		}
		m := f.fakes[name]
		fmt.Fprintf(&b, "  - role: %s\n    hostname: %s\n    privateAddress: 10.0.0.%d\n    ssh: {address: 127.0.0.1, port: %d, user: root}\n",
			role, name, 11+i, m.port)
		fmt.Fprintf(&b, "    k0sInstallPath: %s/bin/k0s\n    dataDir: %s/data\n    installFlags: "+
			"[--ignore-pre-flight-checks, '--token-file=%s/etc/k0stoken'%s]\n", m.root, m.root, m.root,
			map[bool]string{true: ", '--config=" + m.root + "/etc/k0s.yaml'", false: ""}[role == "controller"])
		b.WriteString(f.extra[name])
	}
	s := lifecycle.Site{Name: "farm", Dir: f.dir, SSH: lifecycle.SSH{KeyPath: "id", KnownHosts: filepath.Join(f.dir, "known_hosts"),
		ConnectTimeout: 2 * time.Second, KeepAlive: 200 * time.Millisecond},
		Binary: lifecycle.Binaries{URL: "mirror/{version}/"}}
	c, ds := Describe([]byte(b.String()), s.SSH, s.Dir, "cluster.yaml")
	if err := ds.Err(); err != nil {
		f.t.Fatalf("%v\n%s", err, b.String())
	}
	s.Cluster = c
	return s
}

// inFolders allows the paths of fake machines, which lie in folders of tests.
func inFolders() limits { return limits{own: os.TempDir()} }

func (f *farm) open(version string) *Session {
	f.t.Helper()
	s, err := Open(f.site(version), Options{Log: f.log, CacheDir: filepath.Join(f.dir, "cache"), limits: inFolders(),
		KeepBackup: f.keep, Restore: f.restore,
		Audit: func(c Command) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.auditErr != nil {
				return f.auditErr
			}
			f.audit = append(f.audit, c)
			return nil
		}})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { s.Close() })
	return s
}

// keep writes a backup down under the version that it is said to be of.
func (f *farm) keep(_ context.Context, of lifecycle.ToKeep, take func(io.Writer) error, _ func(string)) (string, error) {
	f.behind = of.Behind
	var b bytes.Buffer
	if err := take(&b); err != nil {
		return "", err
	}
	path := filepath.Join(f.dir, of.Version.String()+".tar.gz")
	return path, os.WriteFile(path, b.Bytes(), 0o600)
}

// do runs steps one after another, and stops the test at the first error.
func (f *farm) do(s *Session, version string, steps ...string) {
	f.t.Helper()
	for _, step := range steps {
		if err := f.try(f.t.Context(), s, version, step); err != nil {
			f.t.Fatalf("%s: %v", step, err)
		}
	}
}

func (f *farm) try(ctx context.Context, s *Session, version, step string) error {
	target, action, _ := strings.Cut(step, "/")
	if target == "cluster" {
		target = ""
	}
	v, _ := lifecycle.ParseVersion(version)
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return s.Do(ctx, lifecycle.Step{ID: step, Target: target, Action: lifecycle.Action(action), Version: v}, nil)
}
