package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

// TestCertificatesAreRenewed: certificates of two of three controllers end within days. Everybody is warned; kiban renew restarts these
// two, one
// after the other and under load, and they have new ones. Then there is nothing to do.
func TestCertificatesAreRenewed(t *testing.T) {
	t.Parallel()
	b := start(t, "127.249.0", 3, 1)
	b.apply(0)
	cs, _ := b.admin()
	b.deploy(cs, "web", 1, 0)
	nothing := b.must(0, b.kiban("renew", "lab", "--yes"))
	b.says(nothing, "No certificate that k0s renews ends soon")

	b.endsIn("controller-1", 5*24*time.Hour)
	b.endsIn("controller-3", 25*24*time.Hour)
	b.says(b.must(0, b.kiban("status", "lab")), "controller-1", "controller-3", "k0s's certificates end: the first ends on", "kiban renew lab")
	b.emptyPlan()

	m, probe := b.mark(), b.probe("web")
	r := b.must(0, b.kiban("renew", "lab", "--yes"))
	b.says(r, "The certificates are new: 2 of 2 steps done")
	if sent, failed := probe(); sent == 0 || failed != 0 {
		t.Errorf("%d of %d requests failed", failed, sent)
	}
	for host, restarts := range map[string]bool{"controller-1": true, "controller-2": false, "controller-3": true, "worker-1": false} {
		if got := strings.Contains(b.commandsOf(m, host), "systemctl stop"); got != restarts {
			t.Errorf("%s was restarted: %t", host, got)
		}
	}
	if r := b.must(0, b.kiban("status", "lab")); strings.Contains(r.stdout, "certificates end") {
		t.Errorf("it still warns: %s", r)
	}
	b.says(b.must(0, b.kiban("renew", "lab", "--yes")), "No certificate that k0s renews ends soon")
	b.emptyPlan()
}

// endsIn puts another certificate of k0s's own API on a controller, signed by the cluster's authority, that ends after a while.
func (b *bench) endsIn(host string, left time.Duration) {
	b.t.Helper()
	on := func(command string) string { return b.must(0, b.lab("exec", "--dir", ".lab", host, command)).stdout }
	authority, err := tls.X509KeyPair([]byte(on("cat /var/lib/k0s/pki/ca.crt")), []byte(on("cat /var/lib/k0s/pki/ca.key")))
	if err != nil {
		b.t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.t.Fatal(err)
	}
	end := time.Now().Add(left)
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "kubernetes"}, NotBefore: end.AddDate(-1, 0, 0),
		NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, authority.Leaf, key.Public(), authority.PrivateKey)
	if err != nil {
		b.t.Fatal(err)
	}
	// What runs goes on with the one that it has read.
	on("cat > /var/lib/k0s/pki/k0s-api.crt <<'END'\n" + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) + "END\n")
}
