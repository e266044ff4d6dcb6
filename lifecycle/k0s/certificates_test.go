package k0s

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// signedBy makes a certificate that ends at a moment, as PEM with its key behind it.
func signedBy(t *testing.T, issuer, subject string, ends time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	made := func(name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: ends.AddDate(-1, 0, 0),
			NotAfter: ends}
	}
	der, err := x509.CreateCertificate(rand.Reader, made(subject), made(issuer), key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})...)
}

var someDay = time.Date(2027, 2, 1, 3, 4, 5, 0, time.UTC)

// TestCertificatesAreRenewedAsK0sDoes: what k0s signs with its own authority it makes anew when it starts; what somebody else has
// signed, it does only where it has that authority's key.
func TestCertificatesAreRenewedAsK0sDoes(t *testing.T) {
	shown := func(parts ...string) []byte { return []byte(strings.Join(parts, "")) }
	file := func(name, issuer, subject string) string {
		if name == kubeletClient {
			return "\n==> kubelet/pki/kubelet-client-current.pem <==\n" + string(signedBy(t, issuer, subject, someDay))
		}
		return "\n==> pki/" + name + ".crt <==\n" + string(signedBy(t, issuer, subject, someDay))
	}
	own := file("ca", "kubernetes-ca", "kubernetes-ca")
	corporate := file("ca", "Corp Root", "Corp K8s")
	for name, tt := range map[string]struct {
		shown []byte
		want  map[string]lifecycle.Renewal
	}{
		"none": {nil, map[string]lifecycle.Renewal{}},
		"k0s's own": {shown(own, file("server", "kubernetes-ca", "kubernetes"), file("etcd/peer", "etcd-ca", "c1"), "key ca\n"),
			map[string]lifecycle.Renewal{"ca": lifecycle.RenewedByHand, "server": lifecycle.RenewedByStart, "etcd/peer": lifecycle.RenewedByStart}},
		"an authority of one's own, with its key": {shown(corporate, file("server", "Corp K8s", "kubernetes"), "key ca\n"),
			map[string]lifecycle.Renewal{"ca": lifecycle.RenewedByHand, "server": lifecycle.RenewedByStart}},
		"an authority of one's own, without": {shown(corporate, file("server", "Corp K8s", "kubernetes"), "key etcd/ca\n"),
			map[string]lifecycle.Renewal{"ca": lifecycle.RenewedByHand, "server": lifecycle.RenewedByHand}},
		"a worker": {shown(file("kubelet-client", "kubernetes-ca", "system:node:w1")),
			map[string]lifecycle.Renewal{"kubelet-client": lifecycle.RenewedByKubelet}},
		"what k0s has not, and what is none": {shown(file("somebody", "kubernetes-ca", "somebody"), "\n==> pki/server.crt <==\nno certificate\n",
			"\n==> pki/admin.crt <==\n"),
			map[string]lifecycle.Renewal{}},
	} {
		got := map[string]lifecycle.Renewal{}
		for _, c := range certificates(tt.shown) {
			got[c.Name] = c.Renewed
			if !c.NotAfter.Equal(someDay) {
				t.Errorf("%s: %s ends %s", name, c.Name, c.NotAfter)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// TestScriptStartsFewPrograms holds what a look costs a machine: of whatever it tells, each program is asked once.
func TestScriptStartsFewPrograms(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(in(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(in(name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"nproc", "date", "uname", "hostname", "cat", "df", "timeout", "grep", "sed", "head", "ls", "sort", "tr",
		"stat", "sha256sum"} {
		program, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("this machine has no %s", name)
		}
		write("bin/"+name, fmt.Sprintf("#!/bin/sh\necho %s >> %s\nexec %s \"$@\"\n", name, in("started"), program))
	}
	systemctl := func(file string) {
		write("bin/systemctl", fmt.Sprintf("#!/bin/sh\necho systemctl >> %s\nprintf 'ActiveState=active\\nSubState=running\\n"+
			"FragmentPath=%s\\n\\nActiveState=inactive\\nFragmentPath=\\n'\n", in("started"), file))
	}
	t.Setenv("PATH", in("bin")+":"+os.Getenv("PATH"))
	q := question{nonce: nonce, host: lifecycle.Host{Name: "c1", Role: lifecycle.RoleController,
		Files: []lifecycle.HostFile{{Path: in("file")}}},
		paths: paths{binary: in("opt/k0s"), data: in("data"), config: in("etc/k0s.yaml"), token: in("etc/token"), etc: in("etc"),
			locks: in("locks")}}
	started := func() (string, lifecycle.HostState) {
		t.Helper()
		_ = os.Remove(in("started")) // none before the first
		out, err := exec.Command("sh", "-c", script(q)).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		names := strings.Fields(read(t, in("started")))
		slices.Sort(names)
		return strings.Join(names, " "), parseFacts(out, q).host
	}
	systemctl("")
	if got, _ := started(); got != "cat date df nproc systemctl uname" {
		t.Errorf("a machine without k0s starts %s", got)
	}
	write("opt/k0s", "#!/bin/sh\n[ \"$1\" = version ] && echo v1.35.7+k0s.0\n")
	write("unit", "[Service]\nExecStart=/usr/local/bin/k0s controller --data-dir="+in("data")+"\n")
	systemctl(in("unit"))
	for _, name := range []string{"pki/ca", "pki/server", "pki/etcd/ca", "pki/admin"} {
		write("data/"+name+".crt", string(signedBy(t, "kubernetes-ca", name, someDay)))
	}
	for _, name := range []string{"data/pki/admin.conf", "etc/k0s.yaml", "etc/token", "locks/epoch.3", "file"} {
		write(name, "a: b\n")
	}
	write("data/kubelet.conf", "  server: https://10.0.0.1:6443\n")
	write("etc/containerd.toml", "# k0s_managed=true\nversion = 3\n")
	got, h := started()
	if got != "cat cat cat cat date df grep head nproc sed sed sha256sum stat systemctl timeout timeout uname" {
		t.Errorf("a controller starts %s", got)
	}
	if len(h.Certificates) != 4 || h.Service != lifecycle.ServiceRunning || h.Epoch != 3 || h.FreeBytes == 0 || len(h.Files) != 1 ||
		!h.Token || h.Hostname == "" || h.Kernel == "" || h.Arch == "" || h.BootID == "" || h.Server == "" || len(h.DropIns) != 0 {
		t.Errorf("it is told of as %+v", h)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestScriptShowsNoKey runs the script: it shows the certificates that kiban knows, those of the machine's own data folder, and no key that
// lies in the same file.
func TestScriptShowsNoKey(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, text []byte, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("unit", fmt.Appendf(nil, "[Service]\nExecStart=/usr/local/bin/k0s controller \"--data-dir=%s\"\n", filepath.Join(dir, "moved")),
		0o644)
	write("bin/systemctl", fmt.Appendf(nil, "#!/bin/sh\ncase \"$*\" in *FragmentPath*) echo FragmentPath=%s ;; esac\n", filepath.Join(dir,
		"unit")), 0o755)
	for path, name := range map[string]string{"pki/ca.crt": "kubernetes-ca", "pki/etcd/server.crt": "etcd-server",
		"pki/somebody.crt":                       "somebody",
		"kubelet/pki/kubelet-client-current.pem": "system:node:c1"} {
		write("moved/"+path, signedBy(t, "kubernetes-ca", name, someDay), 0o600)
	}
	write("moved/pki/ca.key", []byte("the key"), 0o600)
	t.Setenv("PATH", filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
	q := question{nonce: nonce, host: lifecycle.Host{Name: "c1", Role: lifecycle.RoleController}, paths: paths{binary: filepath.Join(dir,
		"none"),
		data: filepath.Join(dir, "data"), config: filepath.Join(dir, "none"), token: filepath.Join(dir, "none"), etc: filepath.Join(dir, "etc")}}
	out, err := exec.Command("sh", "-c", script(q)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var names []string
	for _, c := range parseFacts(out, q).host.Certificates {
		names = append(names, c.Name)
	}
	if want := []string{"ca", "etcd/server", "kubelet-client"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q\n%s", names, want, out)
	}
	if bytes.Contains(out, []byte("PRIVATE KEY")) || bytes.Contains(out, []byte("the key")) {
		t.Errorf("the script shows a key:\n%s", out)
	}
}
