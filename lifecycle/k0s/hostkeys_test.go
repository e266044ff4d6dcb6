package k0s

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cryptossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"kiban.dev/kiban/lifecycle"
)

// standing gives the keys' standings by host, in words; a host with several keys has several.
func standing(keys lifecycle.HostKeys) map[string]string {
	out := map[string]string{}
	for _, k := range keys.Keys {
		out[k.Host] = strings.TrimSpace(out[k.Host] + " " + string(k.Standing))
	}
	for _, f := range keys.Failed {
		out[f.Host] = "failed"
	}
	return out
}

// TestHostKeys: a machine is known, new, changed, or does not answer; what is trusted is known afterwards, and nobody logged in.
func TestHostKeys(t *testing.T) {
	f := newFarm(t, "c1", "w1", "w2", "w3")
	f.trust("c1", "w2")
	before := f.fakes["w2"].hostKey.PublicKey()
	f.fakes["w2"].set(func() { f.fakes["w2"].hostKey = newSigner(t) })
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	f.fakes["w3"].port = deaf.Addr().(*net.TCPAddr).Port
	site := f.site(v135)
	begin := time.Now()
	seen, err := hostKeys(t.Context(), site, Options{limits: inFolders()})
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begin); d > time.Minute {
		t.Errorf("it took %s, with a connect timeout of 2 s", d)
	}
	for host, want := range map[string]string{"c1": "known", "w1": "new", "w2": "changed", "w3": "failed"} {
		if got := standing(seen)[host]; got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
	for _, k := range seen.Keys {
		key := f.fakes[k.Host].hostKey.PublicKey()
		if k.Fingerprint != cryptossh.FingerprintSHA256(key) || k.Type != key.Type() {
			t.Errorf("%s shows %s %s", k.Host, k.Type, k.Fingerprint)
		}
		if k.Host == "w2" && (len(k.Former) != 1 || k.Former[0] != cryptossh.FingerprintSHA256(before)) {
			t.Errorf("the key before is %v", k.Former)
		}
	}
	if err := Trust(site.SSH.KnownHosts, seen.Keys[1:]); err != nil { // w1 and w2
		t.Fatal(err)
	}
	seen, err = hostKeys(t.Context(), site, Options{limits: inFolders()})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{"c1": "known", "w1": "known", "w2": "known"} {
		if got := standing(seen)[host]; got != want {
			t.Errorf("afterwards %s: %s, want %s", host, got, want)
		}
	}
	for name, m := range f.fakes {
		if len(m.sent()) > 0 {
			t.Errorf("%s was logged in to", name)
		}
	}
}

// TestTrustKeepsTheOtherLines: only what is about the changed machine goes, however often and in whatever form it is there.
func TestTrustKeepsTheOtherLines(t *testing.T) {
	old, new := newSigner(t).PublicKey(), newSigner(t).PublicKey()
	line := func(name string) string { return knownhosts.Line([]string{name}, old) }
	rest := strings.TrimPrefix(line("10.0.0.1"), "10.0.0.1")
	key := lifecycle.HostKey{Address: "10.0.0.1:22", Standing: lifecycle.KeyChanged, Line: knownhosts.Line([]string{"10.0.0.1:22"}, new)}
	if !strings.HasPrefix(key.Line, "10.0.0.1 ") {
		t.Errorf("port 22 is written: %s", key.Line)
	}
	for _, tt := range []struct{ name, before, after, err string }{
		{"no file", "", key.Line + "\n", ""},
		{"a line twice, no newline at the end", "# mine\n" + line("10.0.0.1") + "\n" + line("10.0.0.2") + "\n" + line("10.0.0.1"),
			"# mine\n" + line("10.0.0.2") + "\n" + key.Line + "\n", ""},
		{"several names", "10.0.0.1,10.0.0.2" + rest + "\n", line("10.0.0.2") + "\n" + key.Line + "\n", ""},
		{"hashed", knownhosts.HashHostname("10.0.0.1") + rest + "\n", key.Line + "\n", ""},
		{"a pattern", "10.0.0.*" + rest + "\n", "", "line 1 of known_hosts is about more than 10.0.0.1"},
	} {
		file := filepath.Join(t.TempDir(), "ssh", "known_hosts")
		if tt.before != "" {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(tt.before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := Trust(file, []lifecycle.HostKey{key})
		got, _ := os.ReadFile(file)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || string(got) != tt.before {
				t.Errorf("%s: %v\n%s", tt.name, err, got)
			}
			continue
		}
		if err != nil || string(got) != tt.after {
			t.Errorf("%s: %v\n%s\nwant\n%s", tt.name, err, got, tt.after)
		}
		if st, err := os.Stat(file); err != nil || (tt.before != "" && st.Mode().Perm() != 0o600) {
			t.Errorf("%s: the file's mode is %v, %v", tt.name, st.Mode(), err)
		}
		if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
			t.Errorf("%s: left %v, %v", tt.name, entries, err)
		}
	}
}

// TestStandings: a key of a kind that nobody knows of a known machine says nothing, unless the known kind is gone; a revoked one is never
// new.
func TestStandings(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := cryptossh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	known := newSigner(t).PublicKey()
	d := door{"w1", "10.0.0.1:2222"}
	line := knownhosts.Line([]string{d.address}, known)
	for _, tt := range []struct {
		name, file string
		shows      []cryptossh.PublicKey
		want       string
	}{
		{"the known one and another kind", line, []cryptossh.PublicKey{known, other}, "known"},
		{"only another kind", line, []cryptossh.PublicKey{other}, "changed"},
		{"nothing is known", "", []cryptossh.PublicKey{known, other}, "new new"},
		{"another port is known", strings.Replace(line, "2222", "22", 1), []cryptossh.PublicKey{known}, "new"},
		{"revoked", "@revoked * " + strings.SplitN(line, " ", 2)[1], []cryptossh.PublicKey{known}, "revoked"},
	} {
		file := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(file, []byte(tt.file+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		judge, err := judgeOf(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := standing(lifecycle.HostKeys{Keys: judge(d, tt.shows)})["w1"]; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
