package backup

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"kiban.dev/kiban/lifecycle"
)

// Source is a backup to restore from. It was read through and is whole.
type Source struct {
	// File is what its name says; the zero Version when it has another name.
	File
	// Digest is "sha256:<hex>" of the archive as k0s wrote it.
	Digest     string
	identities []age.Identity // nil: not encrypted
}

const ageHeader = "age-encryption.org/v1\n"

// Open reads a backup through, with the private keys in identityFile if it is encrypted.
func Open(path, identityFile string) (*Source, error) {
	s := &Source{}
	s.File, _ = Parse(path)
	s.Path = path
	sealed, err := isSealed(path)
	if err != nil {
		return nil, refuse(path, "the backup cannot be read",
			"Give the path of a file that `kiban backup` wrote, or the name of one that `kiban backup list SITE` shows.", err)
	}
	if s.Encrypted = sealed; sealed {
		if s.identities, err = identities(path, identityFile); err != nil {
			return nil, err
		}
	}
	r, err := s.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	sum := sha256.New()
	along := io.TeeReader(r, sum)
	err = readThrough(along)
	if err == nil {
		_, err = io.Copy(io.Discard, along)
	}
	if err != nil {
		return nil, refuse(path, "the backup is not whole", "Nothing was changed. Take another backup: `kiban backup list` shows the others.", err)
	}
	s.Digest = lifecycle.DigestOf(sum)
	return s, nil
}

// Reader gives the archive as k0s wrote it. It is decrypted as it is read; nothing of it is written anywhere.
func (s *Source) Reader() (io.ReadCloser, error) {
	f, err := os.Open(s.Path)
	if err != nil {
		return nil, err
	}
	if s.identities == nil {
		return f, nil
	}
	r, err := age.Decrypt(bufio.NewReader(f), s.identities...)
	if err != nil {
		_ = f.Close() // it was only read
		return nil, refuse(s.Path, "the backup does not open with that key",
			"Use the private key of one of the recipients that the site had when the backup was taken.", err)
	}
	return struct {
		io.Reader
		io.Closer
	}{r, f}, nil
}

func isSealed(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head := make([]byte, len(ageHeader))
	_, err = io.ReadFull(f, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	}
	return string(head) == ageHeader, err
}

// identities reads the private keys. What is wrong with one is told without showing it.
func identities(path, file string) ([]age.Identity, error) {
	if file == "" {
		return nil, refuse(path, "the backup is encrypted", "Give the file with the private key: --identity key.txt", nil)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, refuse(file, "the private key cannot be read", "Name the file that `age-keygen -o` wrote: --identity key.txt", err)
	}
	if strings.HasPrefix(string(b), ageHeader) || strings.HasPrefix(string(b), "-----BEGIN AGE") {
		return nil, refuse(file, "the private key is itself encrypted",
			fmt.Sprintf("Open it first, into a file that only you can read: age -d %s", filepath.Base(file)), nil)
	}
	keys, err := age.ParseIdentities(strings.NewReader(string(b)))
	if err != nil {
		return nil, lifecycle.Errorf(file, "there is no age private key in it").
			Because("A private key is a line of its own that begins with AGE-SECRET-KEY-1."). // what is there instead may be half of one
			Try("Name the file that `age-keygen -o` wrote.")
	}
	return keys, nil
}

func refuse(subject, summary, hint string, err error) error {
	d := lifecycle.Errorf(subject, "%s", summary).Try(hint).Hiding(err)
	if err != nil {
		d.Detail = err.Error()
	}
	return d
}
