package kube

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// authority issues certificates as a cluster does: for the name "kubernetes", not for the addresses that a test dials.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotBefore: time.Now().
		Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert: cert, key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// serve starts an HTTP/2 server with a certificate for name and returns its "ip:port".
func (a *authority) serve(t testing.TB, name string, h http.Handler) (string, *httptest.Server) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "apiserver"}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: a.key}},
		ClientAuth: tls.RequestClientCert}
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "https://"), s
}

func (a *authority) kubeconfig(server string) []byte {
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://%s", certificate-authority-data: %s}}]
users: [{name: u, user: {token: secret}}]
`, server, base64.StdEncoding.EncodeToString(a.pem))
}

// outside are credentials as an external site has them.
func outside(kubeconfig []byte) lifecycle.Credentials {
	return lifecycle.Credentials{Kubeconfig: kubeconfig}
}

// given is a source that has a kubeconfig at hand.
func given(kubeconfig []byte) Source {
	return func(context.Context) (lifecycle.Credentials, error) { return outside(kubeconfig), nil }
}

// connect starts a server of f and makes a client of it.
func connect(t testing.TB, f *fakeAPI) *Client {
	t.Helper()
	a := newAuthority(t)
	addr, _ := a.serve(t, certificateName, f)
	c := New(given(a.kubeconfig(addr)), []Server{{Host: "controller-1", Address: addr}}, Options{})
	t.Cleanup(c.Close)
	if err := c.connect(t.Context()); err != nil { // tests look inside
		t.Fatal(err)
	}
	return c
}
