package backup

import (
	"bytes"
	"errors"
	"io"
	"os"

	"kiban.dev/kiban/lifecycle"
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

// Unseal reads a document that Seal has kept, a snapshot of a site, with the private keys in identityFile if it is encrypted.
func Unseal(file, identityFile string) ([]byte, error) {
	sealed, err := isSealed(file)
	if err != nil {
		return nil, refuse(file, "the snapshot can't be read", "Give the path of a file that `kiban rehearse SITE --save FILE` wrote.", err)
	}
	b, err := os.ReadFile(file)
	if err != nil || !sealed {
		return b, err
	}
	if identityFile == "" {
		return nil, lifecycle.Errorf(file, "the snapshot is encrypted").
			Because("It opens with the private key of one of the recipients that spec.backup of the site named when it was taken.").
			Try("Give the file with the private key: --identity key.txt")
	}
	keys, err := identities(file, identityFile)
	if err != nil {
		return nil, err
	}
	const again = "Copy it once more, or take it again: `kiban rehearse SITE --save FILE`."
	r, err := decrypt(bytes.NewReader(b), keys)
	switch {
	case errors.Is(err, errSealing):
		return nil, refuse(file, "the snapshot is not whole", again, err)
	case err != nil:
		return nil, refuse(file, "the snapshot does not open with that key",
			"Use the private key of one of the recipients that spec.backup of the site named when it was taken.", err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		return nil, refuse(file, "the snapshot is not whole", again, err)
	}
	return out, nil
}
