package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

// note lies beside a backup: here from when it is whole, in a place from when it was read back from there and was the same. A backup in a
// place without one was never verified.
type note struct {
	Format     int      `json:"format"`
	Size       int64    `json:"size"`
	SHA256     string   `json:"sha256"`
	Run        string   `json:"run,omitempty"`
	Recipients []string `json:"recipients,omitempty"`
	Verified   string   `json:"verified"`
	// Digest is that of the archive as k0s wrote it. It, and Contents, are there from format 2 on.
	Digest   string             `json:"digest,omitempty"`
	Contents lifecycle.Contents `json:"contents,omitzero"`
	Proven   *lifecycle.Proof   `json:"proven,omitempty"`
}

const noteFormat = 2

// noteOf is the name of a backup's note.
func noteOf(name string) string { return name + ".json" }

// maxNote bounds what is read of one.
const maxNote = 1 << 20

// note describes a backup that lies in a file.
func (s Store) note(path, digest string, contents lifecycle.Contents) (note, error) {
	size, sum, err := sumOf(path)
	return note{Format: noteFormat, Size: size, SHA256: sum, Run: s.Run, Recipients: s.Rules.Recipients, Digest: digest,
		Contents: contents, Verified: s.now().UTC().Format(time.RFC3339)}, err
}

// sumOf is a file's length, and its checksum in hex.
func sumOf(path string) (size int64, sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return size, hex.EncodeToString(h.Sum(nil)), err
}

func (n note) writeBeside(path string) error {
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return atomicfile.Write(noteOf(path), b, 0o600)
}

// readBeside is the note of a backup that lies here; fs.ErrNotExist is behind the error where it has none.
func readBeside(path string) (note, error) {
	f, err := os.Open(noteOf(path))
	if err != nil {
		return note{}, err
	}
	defer f.Close()
	return decodeNote(f, path)
}

func putNote(ctx context.Context, p Place, name string, n note) error {
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return p.Put(ctx, noteOf(name), bytes.NewReader(b), int64(len(b)))
}

func readNote(ctx context.Context, p Place, name string) (note, error) {
	r, err := p.Open(ctx, noteOf(name))
	if err != nil {
		return note{}, err
	}
	defer r.Close()
	return decodeNote(r, name)
}

func decodeNote(r io.Reader, name string) (n note, err error) {
	if err := json.NewDecoder(io.LimitReader(r, maxNote)).Decode(&n); err != nil {
		return note{}, fmt.Errorf("the note of %s: %w", name, err)
	}
	return n, nil
}

// tell puts what a note says into what is shown of a backup.
func (n note) tell(k *lifecycle.KeptBackup) {
	k.Run, k.Recipients, k.Verified, k.SHA256 = n.Run, n.Recipients, n.Verified, n.SHA256
	k.Digest, k.Contents, k.Proven = n.Digest, n.Contents, n.Proven
}

// record is what the cluster keeps of a backup.
func (n note) record(name string, taken time.Time) lifecycle.BackupRecord {
	return lifecycle.BackupRecord{Format: lifecycle.ProofFormat, Name: name, Digest: n.Digest, Taken: taken.UTC().Format(time.RFC3339),
		Contents: n.Contents, Proven: n.Proven}
}

// removed is nil where what was to be removed is not there.
func removed(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Prove writes a proof beside the backup of that name: in these folders, and in each place, wherever it lies with that archive in it. It
// gives where that was. Where it cannot be written is among the errors, after the others were.
func (s Store) Prove(ctx context.Context, folders []string, proof lifecycle.Proof) (at []string, err error) {
	var errs []error
	wrote := func(where string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", where, err))
			return
		}
		at = append(at, where)
	}
	for _, folder := range folders {
		path := filepath.Join(folder, proof.Backup)
		switch n, err := readBeside(path); {
		case errors.Is(err, fs.ErrNotExist) || err == nil && n.Digest != proof.Digest:
		case err != nil:
			wrote(folder, err)
		default:
			n.Proven = n.Proven.Later(&proof)
			wrote(folder, n.writeBeside(path))
		}
	}
	for _, p := range s.Places {
		switch n, err := readNote(ctx, p, proof.Backup); {
		case errors.Is(err, fs.ErrNotExist) || err == nil && n.Digest != proof.Digest:
		case err != nil:
			wrote(p.String(), err)
		default:
			n.Proven = n.Proven.Later(&proof)
			wrote(p.String(), putNote(ctx, p, proof.Backup, n))
		}
	}
	return at, errors.Join(errs...)
}
