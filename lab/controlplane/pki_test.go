package controlplane

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestCertificatesAreNewAtEachStart: k0s makes those that its own authorities sign anew whenever a controller starts, however long the old
// ones would last, and gives them the life that is declared. Its authorities stay.
func TestCertificatesAreNewAtEachStart(t *testing.T) {
	c := &Controller{DataDir: t.TempDir(), Name: "c1", Addr: "127.66.0.11"}
	if err := c.found(); err != nil {
		t.Fatal(err)
	}
	start := func(life time.Duration) map[string]*x509.Certificate {
		t.Helper()
		c.Config.CertificateLife = life
		if err := c.certify(); err != nil {
			t.Fatal(err)
		}
		out := map[string]*x509.Certificate{}
		for _, name := range []string{"ca", "etcd/ca", "server", "k0s-api", "konnectivity", "admin", "ccm", "scheduler", "apiserver-etcd-client",
			"etcd/server", "etcd/peer"} {
			text, err := os.ReadFile(filepath.Join(c.DataDir, "pki", name+".crt"))
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode(text)
			if out[name], err = x509.ParseCertificate(block.Bytes); err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	first, second := start(0), start(20*time.Minute)
	for name, was := range first {
		is := second[name]
		switch authority := slices.Contains([]string{"ca", "etcd/ca"}, name); {
		case authority != was.Equal(is):
			t.Errorf("%s is another one: %t", name, !was.Equal(is))
		case !authority && (time.Until(was.NotAfter) < 364*24*time.Hour || time.Until(is.NotAfter) > 20*time.Minute):
			t.Errorf("%s ends in %s, then in %s", name, time.Until(was.NotAfter), time.Until(is.NotAfter))
		}
	}
}
