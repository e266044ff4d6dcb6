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

var (
	// ErrUnread is behind what kept a backup from being read here: no key for it, no right to read it, no room. Nothing is known of the
	// backup by that.
	ErrUnread = errors.New("the backup was not read")
	// errAltered is behind a backup that is another than it was.
	errAltered = errors.New("the backup was altered")
	// errSealing is why a file that is encrypted ends before what is in it does.
	errSealing = errors.New("what age has encrypted is damaged or cut off")
)

// Open reads a backup through, with the private keys in identityFile if it is encrypted.
func Open(path, identityFile string) (*Source, error) {
	s := &Source{}
	s.File, _ = Parse(path)
	s.Path = path
	sealed, err := isSealed(path)
	if err != nil {
		return nil, unread(path, "the backup cannot be read",
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
	if f, _ := Parse(path); err != nil && f.Encrypted && !sealed {
		err = fmt.Errorf("by its name it is encrypted with age, and it does not begin as such a file does: %w", err)
	}
	if err != nil {
		return nil, refuse(path, "the backup is not whole", wholeHint, err)
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
	r, err := decrypt(bufio.NewReader(f), s.identities)
	if err != nil {
		_ = f.Close() // it was only read
		if errors.Is(err, errSealing) {
			return nil, refuse(s.Path, "the backup is not whole", wholeHint, err)
		}
		return nil, unread(s.Path, "the backup does not open with that key",
			"Use the private key of one of the recipients that the site had when the backup was taken.", err)
	}
	return struct {
		io.Reader
		io.Closer
	}{r, f}, nil
}

const wholeHint = "Nothing was changed. Take another backup: `kiban backup list` shows the others."

// decrypt opens what is encrypted. The error tells a key that does not fit from a file that is damaged, and so do those of the reader.
func decrypt(r io.Reader, keys []age.Identity) (io.Reader, error) {
	opened, err := age.Decrypt(r, keys...)
	if _, fits := errors.AsType[*age.NoIdentityMatchError](err); err != nil && !fits {
		err = fmt.Errorf("%w: %w", errSealing, err)
	}
	return sealed{opened}, err
}

type sealed struct{ io.Reader }

func (s sealed) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // the end of a reader is that very value
		err = fmt.Errorf("%w: %w", errSealing, err)
	}
	return n, err
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

// CheckIdentity refuses a file that no private key can be read from. Behind the error is ErrUnread.
func CheckIdentity(file string) error {
	_, err := identities(file, file)
	return err
}

// identities reads the private keys. What is wrong with one is told without showing it.
func identities(path, file string) ([]age.Identity, error) {
	if file == "" {
		return nil, unread(path, "the backup is encrypted", "Give the file with the private key: --identity key.txt", nil)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, unread(file, "the private key cannot be read", "Name the file that `age-keygen -o` wrote: --identity key.txt", err)
	}
	if strings.HasPrefix(string(b), ageHeader) || strings.HasPrefix(string(b), "-----BEGIN AGE") {
		return nil, unread(file, "the private key is itself encrypted",
			fmt.Sprintf("Open it first, into a file that only you can read: age -d %s", filepath.Base(file)), nil)
	}
	keys, err := age.ParseIdentities(strings.NewReader(string(b)))
	if err != nil {
		return nil, lifecycle.Errorf(file, "there is no age private key in it").
			Because("A private key is a line of its own that begins with AGE-SECRET-KEY-1."). // what is there instead may be half of one
			Try("Name the file that `age-keygen -o` wrote.").Hiding(ErrUnread)
	}
	return keys, nil
}

func refuse(subject, summary, hint string, err error) lifecycle.Diagnostic {
	d := lifecycle.Errorf(subject, "%s", summary).Try(hint).Hiding(err)
	if err != nil {
		d.Detail = err.Error()
	}
	return d
}

// unread is refuse for what says nothing of the backup.
func unread(subject, summary, hint string, err error) error {
	return refuse(subject, summary, hint, err).Hiding(errors.Join(err, ErrUnread))
}

// unreadError is an error behind which ErrUnread is, in its own words.
type unreadError struct{ error }

func (e unreadError) Unwrap() []error { return []error{e.error, ErrUnread} }
