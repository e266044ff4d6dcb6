package k0s

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// releaseSigner is who signs releases, as `cosign sign-blob --key` does.
type releaseSigner struct{ key *ecdsa.PrivateKey }

func newReleaseSigner(t *testing.T) releaseSigner {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return releaseSigner{key}
}

func (s releaseSigner) public(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// sign puts the signature of a binary with that checksum beside it.
func (s releaseSigner) sign(t *testing.T, file, sum string) {
	t.Helper()
	digest, err := hex.DecodeString(sum)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := ecdsa.SignASN1(rand.Reader, s.key, digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".sig", []byte(base64.StdEncoding.EncodeToString(raw)+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A mirror that serves another binary together with its right checksum is found out by the signature, and by it alone.
func TestBinariesMustBeSigned(t *testing.T) {
	quiet := func(string) {}
	maker, other := newReleaseSigner(t), newReleaseSigner(t)
	for name, c := range map[string]struct {
		publish func(t *testing.T, file, sum string)
		says    string
	}{
		"signed":                  {maker.sign, ""},
		"not signed":              {func(*testing.T, string, string) {}, "signature of k0s cannot be read"},
		"signed by somebody else": {other.sign, "not signed by the fleet's key"},
		"a signature of another binary": {func(t *testing.T, file, _ string) {
			maker.sign(t, file, strings.Repeat("ab", 32))
		}, "not signed by the fleet's key"},
		"no signature at all": {func(t *testing.T, file, _ string) {
			if err := os.WriteFile(file+".sig", []byte("<html>not found</html>"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "not signed by the fleet's key"},
	} {
		site, v, sums := release(t)
		for _, arch := range []string{"amd64", "arm64"} {
			c.publish(t, filepath.Join(site.Dir, "k0s-"+v.String()+"-"+arch), sums[arch])
		}
		site.Fleet.K0sSigningKey = maker.public(t)
		pinned := site
		pinned.Pins = &lifecycle.Pins{K0s: map[string]string{v.String() + "/amd64": "sha256:" + sums["amd64"]}}
		cache := t.TempDir()
		for how, ask := range map[string]func() error{
			"to pin it": func() error { _, err := (Releases{}).Checksums(t.Context(), site, v); return err },
			"to upload it": func() error {
				_, _, err := (Releases{}).Fetch(t.Context(), site, v, "amd64", cache, quiet)
				return err
			},
			"to upload what is pinned": func() error {
				_, _, err := (Releases{}).Fetch(t.Context(), pinned, v, "amd64", t.TempDir(), quiet)
				return err
			},
		} {
			err := ask()
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%s, %s: %v, want %q", name, how, err, c.says)
			}
		}
		if _, err := os.Stat(filepath.Join(cache, v.String(), "k0s-"+v.String()+"-amd64")); (err == nil) != (c.says == "") {
			t.Errorf("%s: the binary is kept: %v", name, err)
		}
	}
}

// A bundle's folder is enough: the signature in it is verified again, and one that was changed counts as none.
func TestSignaturesOffline(t *testing.T) {
	quiet := func(string) {}
	maker := newReleaseSigner(t)
	site, v, sums := release(t)
	name := "k0s-" + v.String() + "-amd64"
	maker.sign(t, filepath.Join(site.Dir, name), sums["amd64"])
	site.Fleet.K0sSigningKey = maker.public(t)
	site.Pins = &lifecycle.Pins{K0s: map[string]string{v.String() + "/amd64": "sha256:" + sums["amd64"]}}
	dir := t.TempDir()
	if _, _, err := (Releases{}).Fetch(t.Context(), site, v, "amd64", dir, quiet); err != nil {
		t.Fatal(err)
	}
	site.Binary = lifecycle.Binaries{URL: "https://127.0.0.1:1/k0s", Checksums: "https://127.0.0.1:1/sums"}
	if _, err := obtain(t.Context(), site, v, "amd64", dir, true, quiet); err != nil {
		t.Errorf("a binary with its signature: %v", err)
	}
	site.Fleet.K0sSigningKey = newReleaseSigner(t).public(t)
	if _, err := obtain(t.Context(), site, v, "amd64", dir, true, quiet); err == nil || !strings.Contains(err.Error(), "no signature") {
		t.Errorf("the fleet has another key: %v", err)
	}
	site.Fleet.K0sSigningKey = maker.public(t)
	if err := os.Remove(filepath.Join(dir, v.String(), name+".sig")); err != nil {
		t.Fatal(err)
	}
	if _, err := obtain(t.Context(), site, v, "amd64", dir, true, quiet); err == nil || !strings.Contains(err.Error(), "no signature") {
		t.Errorf("a binary without its signature: %v", err)
	}
}

// k0s publishes a signature beside each binary; mirrors are laid out in many ways.
func TestWhereSignaturesAre(t *testing.T) {
	v, err := lifecycle.ParseVersion("v1.36.3+k0s.2")
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"":                                   "https://github.com/k0sproject/k0s/releases/download/v1.36.3%2Bk0s.2/k0s-v1.36.3%2Bk0s.2-amd64.sig",
		"https://mirror.lan/k0s/{version}/":  "https://mirror.lan/k0s/v1.36.3%2Bk0s.2/k0s-v1.36.3+k0s.2-amd64.sig",
		"https://mirror.lan/get?v={version}": "https://mirror.lan/get.sig?v=v1.36.3%2Bk0s.2",
		"/srv/k0s-{version}-{arch}":          "/srv/k0s-v1.36.3+k0s.2-amd64.sig",
	} {
		site := lifecycle.Site{Name: "tokyo", Dir: "/fleet", Binary: lifecycle.Binaries{URL: url, Checksums: "sums"}}
		if got := newSource(site, v, "amd64").signature(); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}
