package backup

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// maxKey bounds a file of pki/.
const maxKey = 1 << 20

// Examine reads a backup's parts and holds them against one another, as far as that can be done without starting it: etcd's snapshot to
// its last key, and the cluster's keys and certificates. The snapshot lies in folder meanwhile, in a file that has no name any more, for
// it
// is not encrypted there; "" is the folder for temporary files.
func (s *Source) Examine(folder string, now time.Time) (Data, error) {
	d, err := s.examine(folder, now)
	if _, told := errors.AsType[lifecycle.Diagnostic](err); err != nil && !told {
		err = refuse(s.Path, "the backup is whole as a file, and would not come up", "Take another: `kiban backup list` shows those there are.", err)
	}
	return d, err
}

func (s *Source) examine(folder string, now time.Time) (Data, error) {
	r, err := s.Reader()
	if err != nil {
		return Data{}, err
	}
	defer r.Close()
	z, err := gzip.NewReader(r)
	if err != nil {
		return Data{}, err
	}
	dump, err := os.CreateTemp(folder, "kiban-snapshot-*")
	if err != nil {
		return Data{}, noRoom(folder, err)
	}
	defer dump.Close()
	if err := os.Remove(dump.Name()); err != nil {
		return Data{}, err
	}
	pki := map[string][]byte{}
	length := int64(-1)
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Data{}, err
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		switch {
		case path.Base(name) == "kine-state-backup.db":
			return Data{}, unread(s.Path, "the backup is one of kine", "Only a restore onto a machine proves it: kiban restore.",
				errors.New("a lab has an etcd, and no database of kine's"))
		case isData(name) && length >= 0:
			return Data{}, errors.New("there are two snapshots of the cluster's data in it")
		case isData(name):
			if length, err = io.Copy(dump, archive); err != nil {
				return Data{}, noRoom(folder, err)
			}
		case strings.HasPrefix(name, "pki/") && h.Typeflag == tar.TypeReg:
			if h.Size > maxKey {
				return Data{}, fmt.Errorf("%s has %s, which no key has", name, lifecycle.Bytes(h.Size))
			}
			if pki[strings.TrimPrefix(name, "pki/")], err = io.ReadAll(archive); err != nil {
				return Data{}, err
			}
		}
	}
	if err := pairs(pki, now); err != nil {
		return Data{}, err
	}
	d, err := readSnapshot(dump, length)
	if err != nil {
		return Data{}, fmt.Errorf("etcd's snapshot: %w", err)
	}
	return d, d.ofAnother(pki["ca.crt"])
}

// noRoom tells a snapshot that could not be written from one that could not be read: it says nothing of the backup.
func noRoom(folder string, err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); !ok || failed.Op == "read" {
		return err
	}
	return unread(cmp.Or(folder, os.TempDir()), "the backup's snapshot can't be written there to be read",
		"Make room there, or have it written elsewhere: TMPDIR=/another/folder.", err)
}

// pairs holds the cluster's keys against their certificates. Those that a control plane cannot make anew must be there.
func pairs(pki map[string][]byte, now time.Time) error {
	for _, name := range []string{"ca.crt", "ca.key", "sa.key", "sa.pub", "etcd/ca.crt", "etcd/ca.key"} {
		if len(pki[name]) == 0 {
			return fmt.Errorf("pki/%s is not in it", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pki)) {
		base, isKey := strings.CutSuffix(name, ".key")
		if !isKey {
			continue
		}
		own, err := privateKey(pki[name])
		if err != nil {
			return fmt.Errorf("pki/%s: %w", name, err)
		}
		if content, ok := pki[base+".crt"]; ok {
			cert, err := certificate(content)
			switch {
			case err != nil:
				return fmt.Errorf("pki/%s.crt: %w", base, err)
			case !samePublic(own.Public(), cert.PublicKey):
				return fmt.Errorf("pki/%s is not the key of pki/%s.crt", name, base)
			case path.Base(base) == "ca" && now.After(cert.NotAfter):
				return fmt.Errorf("the CA of pki/%s.crt has ended on %s", base, cert.NotAfter.UTC().Format(time.DateOnly))
			case path.Base(base) == "ca" && cert.CheckSignatureFrom(cert) != nil:
				return fmt.Errorf("pki/%s.crt is damaged: its signature is not its own", base)
			}
		}
		if content, ok := pki[base+".pub"]; ok {
			public, err := publicKey(content)
			if err != nil {
				return fmt.Errorf("pki/%s.pub: %w", base, err)
			}
			if !samePublic(own.Public(), public) {
				return fmt.Errorf("pki/%s is not the key of pki/%s.pub", name, base)
			}
		}
	}
	return nil
}

func samePublic(a, b crypto.PublicKey) bool {
	same, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && same.Equal(b)
}

func block(content []byte) ([]byte, error) {
	b, _ := pem.Decode(content)
	if b == nil {
		return nil, errors.New("it is no PEM")
	}
	return b.Bytes, nil
}

// privateKey reads one in any of the forms that there are. The error holds nothing of it.
func privateKey(content []byte) (crypto.Signer, error) {
	der, err := block(content)
	if err != nil {
		return nil, err
	}
	for _, parse := range []func([]byte) (any, error){
		func(b []byte) (any, error) { return x509.ParsePKCS1PrivateKey(b) },
		func(b []byte) (any, error) { return x509.ParseECPrivateKey(b) },
		x509.ParsePKCS8PrivateKey,
	} {
		if key, err := parse(der); err == nil {
			if s, ok := key.(crypto.Signer); ok {
				return s, nil
			}
		}
	}
	return nil, errors.New("it is no private key")
}

func publicKey(content []byte) (crypto.PublicKey, error) {
	der, err := block(content)
	if err != nil {
		return nil, err
	}
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		return key, nil
	}
	return x509.ParsePKCS1PublicKey(der)
}

func certificate(content []byte) (*x509.Certificate, error) {
	der, err := block(content)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
