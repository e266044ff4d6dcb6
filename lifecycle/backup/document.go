package backup

import (
	"bytes"
	"io"
	"os"

	"kiban.dev/kiban/lifecycle/atomicfile"
)

// Seal encrypts a document to the recipients, as a backup is, and keeps it in a file that only its owner reads; without recipients it is
// kept as it is.
func Seal(file string, content []byte, recipients []string) error {
	var out bytes.Buffer
	s, err := newSeal(&out, recipients)
	if err == nil {
		_, err = s.Write(content)
	}
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		return err
	}
	return atomicfile.Write(file, out.Bytes(), 0o600)
}

// Unseal reads a document that Seal has kept, with the private keys in identityFile if it is encrypted.
func Unseal(file, identityFile string) ([]byte, error) {
	sealed, err := isSealed(file)
	if err != nil {
		return nil, refuse(file, "the file can't be read", "Give the path of a file that --save has written.", err)
	}
	if !sealed {
		return os.ReadFile(file)
	}
	s := &Source{File: File{Path: file}}
	if s.identities, err = identities(file, identityFile); err != nil {
		return nil, err
	}
	r, err := s.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}
