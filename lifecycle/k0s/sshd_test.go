package k0s

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	cryptossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"kiban.dev/kiban/lifecycle"
)

// sshd is OpenSSH's own server, on loopback, for the user who runs the test.
type sshd struct {
	dir, user string
	port      int
	host      cryptossh.PublicKey // its key
	ca        cryptossh.Signer    // what signed the certificate of its key
	client    any                 // a private key that it lets in
	doc       string              // the way to it, below `ssh:`
}

func (d *sshd) file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (d *sshd) private(t *testing.T, name string, key any, passphrase string) string {
	t.Helper()
	var block *pem.Block
	var err error
	if passphrase == "" {
		block, err = cryptossh.MarshalPrivateKey(key, "")
	} else {
		block, err = cryptossh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	return d.file(t, name, pem.EncodeToMemory(block))
}

func newKey(t *testing.T, kind string) any {
	t.Helper()
	var key any
	var err error
	switch kind {
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ecdsa":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func signerOf(t *testing.T, key any) cryptossh.Signer {
	t.Helper()
	s, err := cryptossh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// startSSHD starts a server whose own key is of a kind, and which lets in a key of a kind.
func startSSHD(t *testing.T, hostKind, clientKind string) *sshd {
	t.Helper()
	program, err := exec.LookPath("sshd")
	if err != nil {
		program = "/usr/sbin/sshd"
		if _, err := os.Stat(program); err != nil {
			if os.Getenv("ORACLE_REQUIRED") != "" {
				t.Fatal("there is no sshd on this machine")
			}
			t.Skip("there is no sshd on this machine")
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if me.Uid == "0" {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // where sshd confines itself; Debian's unit makes it
			t.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &sshd{dir: t.TempDir(), user: me.Username, port: listener.Addr().(*net.TCPAddr).Port, client: newKey(t, clientKind)}
	listener.Close()
	key := newKey(t, hostKind)
	d.host, d.ca = signerOf(t, key).PublicKey(), signerOf(t, newKey(t, "ed25519"))
	hostKey := d.private(t, "host", key, "")
	certificate := &cryptossh.Certificate{Key: d.host, CertType: cryptossh.HostCert, ValidPrincipals: []string{"127.0.0.1", "localhost"},
		ValidBefore: cryptossh.CertTimeInfinity}
	if err := certificate.SignCert(rand.Reader, d.ca); err != nil {
		t.Fatal(err)
	}
	d.file(t, "host-cert.pub", cryptossh.MarshalAuthorizedKey(certificate))
	authorized := d.file(t, "authorized", cryptossh.MarshalAuthorizedKey(signerOf(t, d.client).PublicKey()))
	config := d.file(t, "config", fmt.Appendf(nil, "ListenAddress 127.0.0.1:%d\nHostKey %s\nHostCertificate %s-cert.pub\nPidFile none\n"+
		"AuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nMaxAuthTries 6\n"+
		"MaxStartups 100\nSetEnv HOME=%s\n", d.port, hostKey, hostKey, authorized, d.dir)) // no .bashrc of whoever runs the test
	c := exec.Command(program, "-D", "-e", "-f", config)
	var said strings.Builder
	c.Stderr = &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	for range 100 {
		if conn, err := net.DialTimeout("tcp", d.address(), time.Second); err == nil {
			conn.Close()
			d.doc = fmt.Sprintf("{address: 127.0.0.1, port: %d, user: %s}", d.port, d.user)
			return d
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("sshd does not listen: %s", said.String())
	return nil
}

func (d *sshd) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(d.port)) }

// look asks the machine behind the server for its facts, and says what stands between it and kiban.
func (d *sshd) look(t *testing.T, way, known, keyPath string) (lifecycle.HostProblem, string) {
	t.Helper()
	ssh := lifecycle.SSH{KnownHosts: d.file(t, "known_hosts", []byte(known)), KeyPath: keyPath, ConnectTimeout: 20 * time.Second}
	doc := "apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nspec:\n  k0s: {version: " + v136 + "}\n  hosts:\n" +
		"  - hostname: c1\n    role: controller\n    ssh: " + way + "\n"
	site := lifecycle.Site{Name: "lab", Dir: d.dir, SSH: ssh}
	c, ds := Describe([]byte(doc), site.SSH, site.Dir, "cluster.yaml")
	if ds.Err() != nil {
		t.Fatal(ds)
	}
	site.Cluster = c
	s, err := Open(site, Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h, err := s.HostFacts(t.Context(), "c1")
	if err != nil {
		t.Fatal(err)
	}
	if h.Problem == lifecycle.HostFacts || h.Problem == lifecycle.HostSudo || h.Problem == lifecycle.HostOK {
		return "", h.Why // the connection stands
	}
	return h.Problem, h.Why
}

// serveAgent has ssh-agent's protocol answered by keys, for whoever asks SSH_AUTH_SOCK.
func serveAgent(t *testing.T, keys ...any) {
	t.Helper()
	ring := agent.NewKeyring()
	for _, k := range keys {
		if err := ring.Add(agent.AddedKey{PrivateKey: k}); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "agent") // a socket's name is short
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close(); os.RemoveAll(dir) })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, c); c.Close() }()
		}
	}()
	t.Setenv("SSH_AUTH_SOCK", socket)
}

// TestKnownHostsOfOpenSSH: whatever form of known_hosts ssh accepts with strict checking, kiban accepts, against OpenSSH's own server;
// and what it refuses, kiban refuses for the same reason.
func TestKnownHostsOfOpenSSH(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		d := startSSHD(t, kind, kind)
		key := d.private(t, "id", d.client, "")
		host := strings.TrimSpace(string(cryptossh.MarshalAuthorizedKey(d.host)))
		ca := strings.TrimSpace(string(cryptossh.MarshalAuthorizedKey(d.ca.PublicKey())))
		other := strings.TrimSpace(string(cryptossh.MarshalAuthorizedKey(signerOf(t, newKey(t, kind)).PublicKey())))
		name := fmt.Sprintf("[127.0.0.1]:%d", d.port)
		for form, c := range map[string]struct {
			known string
			want  lifecycle.HostProblem
			says  string
		}{
			"as ssh writes it":               {known: name + " " + host},
			"with a comment":                 {known: "# ours\n\n" + name + " " + host + " root@tokyo"},
			"hashed":                         {known: knownhosts.HashHostname(name) + " " + host},
			"several names":                  {known: "tokyo.example," + name + ",10.0.0.9 " + host},
			"a pattern":                      {known: fmt.Sprintf("[127.0.0.*]:%d ", d.port) + host},
			"a pattern with an exception":    {known: fmt.Sprintf("[127.0.0.*]:%d,!%s ", d.port, name) + host, want: lifecycle.HostKeyUnknown},
			"signed by an authority":         {known: "@cert-authority " + name + " " + ca},
			"an authority for all":           {known: "@cert-authority [*]:" + strconv.Itoa(d.port) + " " + ca},
			"an authority for everything":    {known: "@cert-authority * " + ca},
			"signed by another":              {known: "@cert-authority " + name + " " + other, want: lifecycle.HostKeyUnknown},
			"revoked":                        {known: name + " " + host + "\n@revoked * " + host, want: lifecycle.HostKeyUnknown, says: "revoked"},
			"another key":                    {known: name + " " + other, want: lifecycle.HostKeyUnknown, says: "is not the one in"},
			"another key, and the right one": {known: name + " " + other + "\n" + name + " " + host},
			"without a port":                 {known: "127.0.0.1 " + host},
			"another port":                   {known: "[127.0.0.1]:1 " + host, want: lifecycle.HostKeyUnknown, says: "is not in"},
			"nothing":                        {known: "", want: lifecycle.HostKeyUnknown, says: "is not in"},
		} {
			problem, why := d.look(t, d.doc, c.known+"\n", key)
			if problem != c.want || !strings.Contains(why, c.says) {
				t.Errorf("%s, %s: %q %s; want %q %q", kind, form, problem, why, c.want, c.says)
			}
		}
	}
}

// TestKnownHostsAsSSHReadsThem holds kiban's reading of known_hosts against ssh itself, with strict checking: over the forms that sshd(8)
// describes, what ssh accepts kiban does, and what it refuses kiban does.
func TestKnownHostsAsSSHReadsThem(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	program, err := exec.LookPath("ssh")
	if err != nil {
		if os.Getenv("ORACLE_REQUIRED") != "" {
			t.Fatal("there is no ssh on this machine")
		}
		t.Skip("there is no ssh on this machine")
	}
	d := startSSHD(t, "ed25519", "ed25519")
	key := d.private(t, "id", d.client, "")
	line := func(k cryptossh.PublicKey) string {
		return strings.TrimSpace(string(cryptossh.MarshalAuthorizedKey(k)))
	}
	host, ca := line(d.host), line(d.ca.PublicKey())
	other, rsa := line(signerOf(t, newKey(t, "ed25519")).PublicKey()), line(signerOf(t, newKey(t, "rsa")).PublicKey())
	port := strconv.Itoa(d.port)
	name := "[127.0.0.1]:" + port
	for _, known := range []string{
		"",
		name + " " + host,
		"  " + name + "\t" + host + "\tcomment of many words",
		"# " + name + " " + host,
		name + "," + " " + host,
		"localhost," + name + " " + host,
		"127.0.0.1 " + host,
		"127.0.0.1:" + port + " " + host,
		"[127.0.0.1] " + host,
		"[127.0.0.1]:22 " + host,
		"[127.0.0.1]:1" + port + " " + host,
		"[127.0.0.2]:" + port + " " + host,
		knownhosts.HashHostname(name) + " " + host,
		knownhosts.HashHostname("127.0.0.1") + " " + host,
		knownhosts.HashHostname("127.0.0.2") + " " + host,
		"|1|nonsense " + host,
		"|2|" + strings.TrimPrefix(knownhosts.HashHostname(name), "|1|") + " " + host,
		"* " + host,
		"? " + host,
		"127.0.0.* " + host,
		"127.?.?.? " + host,
		"127.0.0.?? " + host,
		"*127* " + host,
		"[127.0.0.*]:" + port + " " + host,
		"[127.0.0.1]:* " + host,
		"[*]:" + port + " " + host,
		"[*]:* " + host,
		"*:" + port + " " + host,
		"[127.0.0.1]:" + port[:1] + "* " + host,
		"*,!" + name + " " + host,
		"!" + name + ",* " + host,
		"*,!127.0.0.1 " + host,
		"*,![127.0.0.*]:* " + host,
		"127.0.0.*,!127.0.0.1 " + host,
		"!10.0.0.1 " + host,
		"!10.0.0.1,* " + host,
		"*,!10.* " + host,
		"[127.0.0.*]:" + port + ",![127.0.0.2]:* " + host,
		name + " " + other,
		name + " " + other + "\n" + name + " " + host,
		"127.0.0.1 " + other + "\n" + name + " " + host,
		name + " " + rsa,
		name + " " + rsa + "\n* " + host,
		"@cert-authority " + name + " " + ca,
		"@cert-authority * " + ca,
		"@cert-authority 127.0.0.1 " + ca,
		"@cert-authority 127.*,!127.0.0.1 " + ca,
		"@cert-authority 127.0.0.*,localhost " + ca,
		"@cert-authority [127.0.0.*]:* " + ca,
		"@cert-authority " + knownhosts.HashHostname(name) + " " + ca,
		"@cert-authority " + name + " " + host,
		"@cert-authority " + name + " " + other,
		"@cert-authority " + name + " " + other + "\n" + name + " " + host,
		name + " " + ca,
		"@revoked * " + host + "\n" + name + " " + host,
		name + " " + host + "\n@revoked " + name + " " + host,
		name + " " + host + "\n@revoked * " + other,
		"@revoked " + name + " " + other + "\n* " + host,
		"@cert-authority " + name + " " + ca + "\n@revoked * " + ca,
		"@cert-authority " + name + " " + ca + "\n@revoked * " + host,
		"@unheard-of " + name + " " + host,
		"@cert-authority @revoked " + name + " " + host,
		name + " ssh-ed25519 bm9uc2Vuc2U=\n" + name + " " + host,
		name + " ssh-unheard-of AAAA\n" + name + " " + host,
		name + " 1024 35 12345678901234567890\n" + name + " " + host,
		"no key at all\n" + name + " " + host,
		name + " " + strings.Replace(host, "ssh-ed25519", "ssh-rsa", 1),
		"\xff\xfe " + host + "\n" + name + " " + host,
		name + " " + host + "\r",
		"\n\n" + name + " " + host + " # not a comment",
	} {
		file := d.file(t, "known_hosts_of_ssh", []byte(known+"\n"))
		c := exec.Command(program, "-F", "none", "-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile="+file,
			"-o", "GlobalKnownHostsFile=none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", key, "-o", "ConnectTimeout=20", "-p", port,
			d.user+"@127.0.0.1", "true")
		out, err := c.CombinedOutput()
		accepted := err == nil
		if !accepted && !strings.Contains(string(out), "Host key verification failed") && !strings.Contains(string(out), "No matching") {
			t.Fatalf("ssh failed for another reason with %q: %s", known, out)
		}
		problem, why := d.look(t, d.doc, known+"\n", key)
		if (problem == "") != accepted || !accepted && problem != lifecycle.HostKeyUnknown {
			t.Errorf("%q: ssh accepts: %v, kiban says %q %s\n%s", known, accepted, problem, why, out)
		}
		if problem == "" && !lifecycle.ReadKnownHosts(known).Knows("127.0.0.1", d.port) {
			t.Errorf("%q: it is accepted, and `validate` would miss the key", known)
		}
	}
}

// TestKeysOfOpenSSH: keys in files, with a passphrase, in an agent, and too many of them.
func TestKeysOfOpenSSH(t *testing.T) {
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		d := startSSHD(t, "ed25519", kind)
		known := fmt.Sprintf("[127.0.0.1]:%d %s", d.port, cryptossh.MarshalAuthorizedKey(d.host))
		plain, sealed := d.private(t, "id", d.client, ""), d.private(t, "sealed", d.client, "secret")
		stranger := d.private(t, "stranger", newKey(t, kind), "")
		var many []any
		for range 8 {
			many = append(many, newKey(t, "ed25519"))
		}
		for form, c := range map[string]struct {
			key   string
			agent []any
			want  lifecycle.HostProblem
			says  string
		}{
			"a file":                             {key: plain},
			"another file":                       {key: stranger, want: lifecycle.HostAuth, says: "authorized_keys"},
			"a passphrase that nobody gives":     {key: sealed, want: lifecycle.HostNoLogin, says: "needs a passphrase"},
			"a passphrase, and the agent has it": {key: sealed, agent: []any{d.client}},
			"the agent alone":                    {agent: []any{d.client}},
			"no key at all":                      {want: lifecycle.HostNoLogin, says: "no ssh-agent runs"},
			"a key that is not there":            {key: filepath.Join(d.dir, "nowhere"), want: lifecycle.HostNoLogin, says: "there is no key"},
			"an agent with too many":             {agent: many, want: lifecycle.HostAuth, says: "ssh-agent offers 8 keys"},
			"too many, and a file":               {key: plain, agent: many},
		} {
			t.Setenv("SSH_AUTH_SOCK", "")
			if c.agent != nil {
				serveAgent(t, c.agent...)
			}
			t.Setenv("HOME", d.dir) // no keys of whoever runs the test
			if problem, why := d.look(t, d.doc, known, c.key); problem != c.want || !strings.Contains(why, c.says) {
				t.Errorf("%s, %s: %q %s; want %q %q", kind, form, problem, why, c.want, c.says)
			}
		}
	}
}

// TestBastionsOfOpenSSH: the way over another machine, and which of the two is not known.
func TestBastionsOfOpenSSH(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	jump, behind := startSSHD(t, "ed25519", "ed25519"), startSSHD(t, "ed25519", "ed25519")
	jumpKey, key := jump.private(t, "id", jump.client, ""), behind.private(t, "id", behind.client, "")
	line := func(d *sshd) string {
		return fmt.Sprintf("[127.0.0.1]:%d %s", d.port, cryptossh.MarshalAuthorizedKey(d.host))
	}
	for form, c := range map[string]struct {
		known, jumpKey string
		want           lifecycle.HostProblem
		says           []string
	}{
		"both known": {known: line(jump) + line(behind)},
		"the bastion is not known": {known: line(behind), want: lifecycle.HostKeyUnknown,
			says: []string{fmt.Sprintf("the key of 127.0.0.1 port %d is not in", jump.port)}},
		"the host is not known": {known: line(jump), want: lifecycle.HostKeyUnknown,
			says: []string{fmt.Sprintf("127.0.0.1 port %d", behind.port),
				fmt.Sprintf("`ssh -p %d %s@127.0.0.1 ssh-keyscan -p %d 127.0.0.1 >> ", jump.port, jump.user, behind.port)}},
		"the bastion lets nobody in": {known: line(jump) + line(behind), jumpKey: key, want: lifecycle.HostAuth,
			says: []string{fmt.Sprintf("127.0.0.1 port %d refuses", jump.port)}},
	} {
		way := fmt.Sprintf("{address: 127.0.0.1, port: %d, user: %s, keyPath: %s, "+
			"bastion: {address: 127.0.0.1, port: %d, user: %s, keyPath: %s}}",
			behind.port, behind.user, key, jump.port, jump.user, cmp.Or(c.jumpKey, jumpKey))
		problem, why := behind.look(t, way, c.known, "")
		if problem != c.want {
			t.Errorf("%s: %q %s, want %q", form, problem, why, c.want)
		}
		for _, says := range c.says {
			if !strings.Contains(why, says) {
				t.Errorf("%s: %s; want %q", form, why, says)
			}
		}
	}
}
