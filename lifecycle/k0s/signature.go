package k0s

import (
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

// maxSignature is more than any signature is long, in bytes.
const maxSignature = 16 << 10

// signed reports, as an error if not, whether the key of the fleet's owners has signed the binary whose SHA-256 is sum, in hexadecimal
// digits. What was signed is the sum, so the binary need not be here. The signature is the one beside the cached binary in dir, or is
// fetched from the source and kept there; dir "" keeps none. Without a key nothing is asked for.
func (src source) signed(ctx context.Context, site lifecycle.Site, sum, dir string, offline bool) error {
	if site.Fleet.K0sSigningKey == "" {
		return nil
	}
	key, err := lifecycle.ParseSigningKey(site.Fleet.K0sSigningKey)
	if err != nil {
		return lifecycle.Errorf(lifecycle.FleetFile, "spec.k0s.signingKey is not a public key").Because(err.Error()).
			Try("Write the content of cosign.pub of a k0s release there.")
	}
	file := ""
	if dir != "" {
		file = filepath.Join(dir, src.version, src.name+lifecycle.K0sSignatureSuffix)
		if kept, err := os.ReadFile(file); err == nil && verifies(key, sum, kept) {
			return nil
		}
	}
	if offline {
		return lifecycle.Errorf(src.name, "no signature of %s by the fleet's key is here", src.name).
			Because("The network is not to be asked for it, and " + lifecycle.FleetFile + " wants k0s to be signed.").
			Try("Make the bundle anew: kiban bundle SITE")
	}
	signature, err := src.fetchSignature(ctx)
	if err != nil {
		return err
	}
	if !verifies(key, sum, signature) {
		return lifecycle.Errorf(src.signature(), "k0s is not signed by the fleet's key").
			Because(fmt.Sprintf("The signature there is not one of sha256:%s by the key in %s; no machine was given this binary.", sum,
				lifecycle.FleetFile)).
			Try("Find out who replaced the binary, its checksum or its signature. If k0s's makers have a new key: spec.k0s.signingKey.")
	}
	if file == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return atomicfile.Write(file, signature, 0o600)
}

// signature is where the signature of the binary is published.
func (src source) signature() string {
	if !isURL(src.url) {
		return src.url + lifecycle.K0sSignatureSuffix
	}
	path, query, asked := strings.Cut(src.url, "?")
	if asked {
		query = "?" + query
	}
	return path + lifecycle.K0sSignatureSuffix + query
}

func (src source) fetchSignature(ctx context.Context) ([]byte, error) {
	const summary = "the signature of k0s cannot be read"
	r, err := open(ctx, src.signature())
	if err != nil {
		return nil, lifecycle.Errorf(src.signature(), summary).From(err).
			Try("Put " + src.name + lifecycle.K0sSignatureSuffix + " of k0s's release beside the binary in this mirror.")
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxSignature))
	if err != nil {
		return nil, src.unavailable(summary, src.signature(), err)
	}
	return b, nil
}

// verifies reports whether a signature, in base64, is one of the content with that SHA-256.
func verifies(key *ecdsa.PublicKey, sum string, signature []byte) bool {
	digest, err := hex.DecodeString(sum)
	if err != nil || len(digest) != 32 {
		return false
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(signature)))
	return err == nil && ecdsa.VerifyASN1(key, digest, raw)
}
