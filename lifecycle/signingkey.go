package lifecycle

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
)

// K0sSignatureSuffix is what k0s's releases append to a binary's name for the file of its signature
// (https://docs.k0sproject.io/stable/verifying-signs).
const K0sSignatureSuffix = ".sig"

// ParseSigningKey reads a public key that cosign signs blobs with: one PEM block, ECDSA on the curve P-256, as k0s's cosign.pub is.
func ParseSigningKey(text string) (*ecdsa.PublicKey, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "PUBLIC KEY" || strings.TrimSpace(string(rest)) != "" {
		return nil, errors.New("it is not one public key in PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PublicKey)
	if !ok || ec.Curve != elliptic.P256() {
		return nil, errors.New("cosign's keys are ECDSA on the curve P-256, and this is another")
	}
	return ec, nil
}
