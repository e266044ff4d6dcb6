// Package oidc is an identity provider for tests: it publishes a signing key over HTTPS and signs whatever claims it is given.
package oidc

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Issuer signs tokens. Its certificate authority and keys are in a folder, so that one process can serve and another sign.
type Issuer struct {
	url     string
	ca      []byte
	signing *rsa.PrivateKey
	server  *http.Server
}

const keyID = "lab"

// Start serves an issuer at https://listen, a loopback address and a port, 0 for any, until Close. What it makes is in dir: ca.crt, url
// and its keys. Keys that are there already are used again.
func Start(dir, listen string) (*Issuer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	signing, err := key(filepath.Join(dir, "signing.key"))
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	i := &Issuer{url: "https://" + l.Addr().String(), signing: signing}
	cert, err := i.certify(dir, l.Addr())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "url"), []byte(i.url+"\n"), 0o644)
	}
	if err != nil {
		_ = l.Close() // nothing was served yet
		return nil, err
	}
	i.server = &http.Server{Handler: i.handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		_ = i.server.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}))
	}() // ends by Close
	return i, nil
}

// Open is the issuer that another process serves, or served: it can sign.
func Open(dir string) (*Issuer, error) {
	url, err := os.ReadFile(filepath.Join(dir, "url"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return nil, err
	}
	signing, err := key(filepath.Join(dir, "signing.key"))
	return &Issuer{url: string(url[:len(url)-1]), ca: ca, signing: signing}, err
}

// URL is the issuer's, as tokens and configurations have it.
func (i *Issuer) URL() string { return i.url }

// CA is what signed the issuer's certificate, PEM.
func (i *Issuer) CA() []byte { return i.ca }

// Close ends the serving.
func (i *Issuer) Close() error {
	if i.server == nil {
		return nil
	}
	return i.server.Close()
}

// Token signs claims. Unless they say otherwise, it is valid for an hour, for the audience "kubernetes".
func (i *Issuer) Token(claims map[string]any) (string, error) {
	now := time.Now()
	all := map[string]any{"iss": i.url, "aud": "kubernetes", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	maps.Copy(all, claims)
	payload, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	b64 := base64.RawURLEncoding.EncodeToString
	signed := b64([]byte(`{"alg":"RS256","typ":"JWT","kid":"`+keyID+`"}`)) + "." + b64(payload)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.signing, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return signed + "." + b64(signature), nil
}

// handler publishes what a relying party asks for.
func (i *Issuer) handler() http.Handler {
	b64 := base64.RawURLEncoding.EncodeToString
	documents := map[string]any{
		"/.well-known/openid-configuration": map[string]any{
			"issuer": i.url, "jwks_uri": i.url + "/keys", "authorization_endpoint": i.url + "/auth", "token_endpoint": i.url + "/token",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
			"id_token_signing_alg_values_supported": []string{"RS256"},
		},
		"/keys": map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID, "n": b64(i.signing.N.Bytes()),
			"e": b64(big.NewInt(int64(i.signing.E)).Bytes()),
		}}},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, ok := documents[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(d) // the client may have gone away
	})
}

// certify makes the authority, which the folder keeps, and a certificate for the address.
func (i *Issuer) certify(dir string, at net.Addr) (tls.Certificate, error) {
	caKey, err := key(filepath.Join(dir, "ca.key"))
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lab-oidc-ca"}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.AddDate(1, 0, 0),
		IsCA:     true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	file := filepath.Join(dir, "ca.crt")
	if i.ca, err = os.ReadFile(file); errors.Is(err, fs.ErrNotExist) {
		der, signErr := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
		if signErr != nil {
			return tls.Certificate{}, signErr
		}
		i.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		err = os.WriteFile(file, i.ca, 0o644)
	}
	if err != nil {
		return tls.Certificate{}, err
	}
	host, _, err := net.SplitHostPort(at.String())
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "lab-oidc"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
		IPAddresses: []net.IP{net.ParseIP(host)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, i.signing.Public(), caKey)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: i.signing}, err
}

// key reads a private key, or makes it.
func key(file string) (*rsa.PrivateKey, error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		return k, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}), 0o600)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, fmt.Errorf("%s holds no key", file)
	}
	return x509.ParsePKCS1PrivateKey(block.Bytes)
}
