package machine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"kiban.dev/kiban/lab/machine/posix"
)

func dial(l *Lab, m *Machine, user string) (*ssh.Client, error) {
	return dialFor(l, m, user, time.Minute)
}

// dialFor gives up after patience.
func dialFor(l *Lab, m *Machine, user string, patience time.Duration) (*ssh.Client, error) {
	b, err := os.ReadFile(l.KeyFile())
	if err != nil {
		return nil, err
	}
	key, err := ssh.ParsePrivateKey(b)
	if err != nil {
		return nil, err
	}
	check, err := knownhosts.New(l.KnownHostsFile())
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort(m.Address, strconv.Itoa(Port))
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(patience)) // a TCP connection takes deadlines
	c, channels, requests, err := ssh.NewClientConn(conn, address,
		&ssh.ClientConfig{User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: check})
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	return ssh.NewClient(c, channels, requests), nil
}

func over(t *testing.T, c *ssh.Client, command, stdin string) (string, error) {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		return "", err
	}
	defer s.Close()
	s.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	s.Stdout = &out
	err = s.Run(command)
	return out.String(), err
}

func TestSSH(t *testing.T) {
	l := lab(t, 1, 1)
	m := l.Machine("worker-1")
	c, err := dial(l, m, "ops")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if out, err := over(t, c, "hostname; cat", "stdin"); err != nil || out != "worker-1\nstdin" {
		t.Errorf("got %q, %v", out, err)
	}
	_, err = over(t, c, "exit 7", "")
	if exit, ok := err.(*ssh.ExitError); !ok || exit.ExitStatus() != 7 {
		t.Errorf("exit status: %v", err)
	}
	if !strings.HasPrefix(string(c.ServerVersion()), "SSH-2.0-OpenSSH") {
		t.Errorf("server version %s", c.ServerVersion())
	}
	if _, err := dial(l, m, "nobody"); err == nil {
		t.Error("an unknown user got in")
	}
	// A tunnel to a service of the machine, by the machine's own localhost.
	srv, err := net.Listen("tcp", m.Address+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	go func() {
		if conn, err := srv.Accept(); err == nil {
			_, _ = io.Copy(conn, conn)
			conn.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(srv.Addr().String())
	tunnel, err := c.Dial("tcp", "localhost:"+port)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(tunnel, "echo")
	b := make([]byte, 4)
	if _, err := io.ReadFull(tunnel, b); err != nil || string(b) != "echo" {
		t.Errorf("tunnel: %q, %v", b, err)
	}
}

func TestFaults(t *testing.T) {
	l := lab(t, 0, 1)
	m := l.Machine("worker-1")
	fault := func(kind string, args ...string) {
		t.Helper()
		if err := m.Fault(kind, args...); err != nil {
			t.Fatal(err)
		}
	}
	clear := func() {
		t.Helper()
		if err := m.ClearFaults(); err != nil {
			t.Fatal(err)
		}
		if c, err := dial(l, m, "root"); err != nil {
			t.Fatalf("after clearing: %v", err)
		} else {
			c.Close()
		}
	}
	refused := func(what, want string) {
		t.Helper()
		patience := time.Minute
		if what == "ssh-hang" {
			patience = time.Second
		}
		c, err := dialFor(l, m, "root", patience)
		if err == nil {
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", what, err, want)
		}
	}
	fault("off")
	refused("off", "connection refused")
	clear()
	fault("host-key")
	refused("host-key", "key mismatch")
	clear()
	fault("ssh-auth")
	refused("ssh-auth", "unable to authenticate")
	clear()
	fault("ssh-hang")
	refused("ssh-hang", "timeout")
	clear()

	c, err := dial(l, m, "ops")
	if err != nil {
		t.Fatal(err)
	}
	fault("sudo")
	if got := run(m, "ops", "sudo -n true", ""); got.status != 1 || !strings.Contains(got.err, "password is required") {
		t.Errorf("sudo: %s", got)
	}
	fault("disk-full")
	if got := run(m, "root", "echo x >/tmp/x; df -Pk / | tail -n 1 | tr -s ' ' | cut -d' ' -f4", ""); got.out != "0\n" {
		t.Errorf("disk-full: %s", got)
	}
	if got := run(m, "root", "dd if=/dev/stdin of=/tmp/x", "data"); got.status != 1 || !strings.Contains(got.err, "No space left on device") {
		t.Errorf("disk-full: %s", got)
	}
	fault("fail", "^uname -r", "3", "no kernel")
	if got := run(m, "root", "uname; uname -r", ""); got.status != 3 || got.out != "Linux\n" || got.err != "no kernel\n" {
		t.Errorf("fail: %s", got)
	}
	fault("clock", "-90s")
	if got := run(m, "root", fmt.Sprintf("test $(date +%%s) -lt %d", time.Now().Unix()-80), ""); got.status != 0 {
		t.Errorf("clock: %s", got)
	}
	fault("hang", "whoami")
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		if got := run(m, "root", "whoami", ""); got.out != "root\n" {
			t.Errorf("hang: %s", got)
		}
	}()
	time.Sleep(50 * time.Millisecond)
	if len(m.Faults()) != 5 {
		t.Errorf("faults in force: %q", m.Faults())
	}
	clear()
	wg.Wait()
	if got := run(m, "ops", "sudo -n true && uname -r && sudo -n sh -c 'echo x >/tmp/x'", ""); got.status != 0 {
		t.Errorf("after clearing: %s", got)
	}

	fault("ssh-cut")
	if _, err := over(t, c, "true", ""); err == nil {
		t.Error("a connection outlived ssh-cut")
	}
	clear()
	fault("latency", "30ms")
	c, err = dial(l, m, "root")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	start := time.Now()
	if _, err := over(t, c, "true", ""); err != nil || time.Since(start) < 30*time.Millisecond {
		t.Errorf("latency: %v after %s", err, time.Since(start))
	}
	if err := m.Fault("nonsense"); err == nil || !strings.Contains(err.Error(), "never-ready") {
		t.Errorf("an unknown fault: %v", err)
	}
	if err := m.Fault("latency"); err == nil {
		t.Error("latency without a duration was accepted")
	}
}

// When the plug is pulled, what a client's command was doing has ended before PowerOff returns, also what takes a moment to end.
func TestCommandsEndWithThePower(t *testing.T) {
	l := lab(t, 0, 1)
	m := l.Machine("worker-1")
	runs, ended := make(chan struct{}), make(chan struct{})
	m.shell.Programs["reboot"] = func(ctx context.Context, _ *posix.Call) int {
		close(runs)
		<-ctx.Done()
		time.Sleep(50 * time.Millisecond)
		close(ended)
		return 0
	}
	c, err := dial(l, m, "root")
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan error, 1)
	go func() {
		_, err := over(t, c, "reboot", "")
		heard <- err
	}()
	<-runs
	m.PowerOff()
	select {
	case <-ended:
	default:
		t.Error("a command is still at it on a machine without power")
	}
	if err := <-heard; err == nil {
		t.Error("the client heard of a good end")
	}
}

func TestManyMachines(t *testing.T) {
	l := lab(t, 3, 250)
	first, later := l.Machine("worker-1"), l.Machine("worker-201")
	var a, b, c, d int
	fmt.Sscanf(first.Address, "%d.%d.%d.%d", &a, &b, &c, &d)
	if want := fmt.Sprintf("%d.%d.%d.101", a, b, c+2); later.Address != want || d != 101 {
		t.Fatalf("worker-1 has %s, worker-201 has %s, want %s", first.Address, later.Address, want)
	}
	var wg sync.WaitGroup
	for _, m := range l.Machines() {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if got := run(m, "ops", "sudo -n hostname", ""); got.out != m.Name+"\n" {
				t.Errorf("%s: %s", m.Name, got)
			}
		}()
	}
	wg.Wait()
}
