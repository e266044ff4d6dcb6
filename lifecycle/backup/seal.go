package backup

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
)

// CheckRecipient reports, as an error if not, whether s is an age recipient that backups can be encrypted to.
func CheckRecipient(s string) error {
	if strings.HasPrefix(strings.ToUpper(s), "AGE-SECRET-KEY-") {
		return errors.New("that is a private key: it opens backups and does not belong in a repository; " +
			"the recipient is the line that `age-keygen -y` prints for it")
	}
	_, err := age.ParseX25519Recipient(s)
	return err
}

// seal is the writer that encrypts, and the key that lets this process, and nobody after it, read the result again.
type seal struct {
	io.WriteCloser
	witness age.Identity // nil: not encrypted
}

// newSeal encrypts to the recipients. A key of its own is added, which lives in memory until the backup has been read again.
func newSeal(w io.Writer, recipients []string) (seal, error) {
	if len(recipients) == 0 {
		return seal{WriteCloser: plain{w}}, nil
	}
	witness, err := age.GenerateX25519Identity()
	if err != nil {
		return seal{}, err
	}
	to := []age.Recipient{witness.Recipient()}
	for _, s := range recipients {
		r, err := age.ParseX25519Recipient(s)
		if err != nil {
			return seal{}, fmt.Errorf("recipient %s: %w", s, err)
		}
		to = append(to, r)
	}
	out, err := age.Encrypt(w, to...)
	return seal{WriteCloser: out, witness: witness}, err
}

// open is the way back.
func (s seal) open(r io.Reader) (io.Reader, error) {
	if s.witness == nil {
		return r, nil
	}
	return age.Decrypt(r, s.witness)
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }
