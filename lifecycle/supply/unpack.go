package supply

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"kiban.dev/kiban/lifecycle"
)

// indexLimit bounds the index, which is read into memory.
const indexLimit = 8 << 20

// OpenBundle makes a bundle ready for a site: it is unpacked below dir, unless that was done before and nothing has changed since, every
// file of it is verified, and it is held against the site's lock file.
func OpenBundle(file, dir string, site lifecycle.Site) (*Bundle, error) {
	b, err := open(file, dir)
	if err != nil {
		return nil, err
	}
	if err := checkBundle(b.Index, site).Err(); err != nil {
		return nil, err
	}
	return &b, nil
}

// open unpacks and verifies a bundle of whichever site.
func open(file, dir string) (Bundle, error) {
	b, err := unpackBelow(file, dir)
	if err != nil {
		return Bundle{}, lifecycle.Errorf(file, "the bundle cannot be used").
			Try("Carry it over again, or make it again: kiban bundle SITE -o FILE").
			From(err)
	}
	return b, nil
}

func unpackBelow(file, dir string) (Bundle, error) {
	f, err := os.Open(file)
	if err != nil {
		return Bundle{}, err
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		return Bundle{}, fmt.Errorf("it is no gzipped tar: %w", err)
	}
	archive := tar.NewReader(zip)
	index, name, err := readIndex(archive)
	if err != nil {
		return Bundle{}, err
	}
	b := Bundle{Index: index, Dir: filepath.Join(dir, name)}
	if b.whole() == nil {
		return b, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Bundle{}, err
	}
	tmp, err := os.MkdirTemp(dir, ".unpack-")
	if err != nil {
		return Bundle{}, err
	}
	defer os.RemoveAll(tmp)
	if err := unpack(archive, index, tmp); err != nil {
		return Bundle{}, err
	}
	if err := os.RemoveAll(b.Dir); err != nil {
		return Bundle{}, err
	}
	if err := os.Rename(tmp, b.Dir); err != nil && b.whole() != nil { // another run may have been faster
		return Bundle{}, err
	}
	return b, nil
}

// readIndex reads the first file, and gives the name of the folder that the others belong into.
func readIndex(archive *tar.Reader) (Index, string, error) {
	h, err := archive.Next()
	if err != nil {
		return Index{}, "", fmt.Errorf("it is no bundle: %w", err)
	}
	if h.Name != indexName || h.Typeflag != tar.TypeReg || h.Size > indexLimit {
		return Index{}, "", fmt.Errorf("it is no bundle: its first file is not %s", indexName)
	}
	content, err := io.ReadAll(archive)
	if err != nil {
		return Index{}, "", err
	}
	var index Index
	if err := json.Unmarshal(content, &index); err != nil {
		return Index{}, "", fmt.Errorf("%s: %w", indexName, err)
	}
	if index.Format != format {
		return Index{}, "", fmt.Errorf("it has form %d, and this kiban reads form %d", index.Format, format)
	}
	for _, f := range index.Files {
		if !inside(f.Path) {
			return Index{}, "", fmt.Errorf("%q: %w", f.Path, errPath)
		}
	}
	sum := sha256.Sum256(content)
	return index, hex.EncodeToString(sum[:16]), nil
}

// unpack writes the files that the index names, and takes no others. Nothing but plain files is made, each only where the index, whose
// paths were checked, says.
func unpack(archive *tar.Reader, index Index, dir string) error {
	todo := map[string]File{}
	for _, f := range index.Files {
		todo[f.Path] = f
	}
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		f, known := todo[h.Name]
		if !known || h.Typeflag != tar.TypeReg || h.Size != f.Size {
			return fmt.Errorf("%q is not as its index says", h.Name)
		}
		delete(todo, h.Name)
		if err := writeVerified(filepath.Join(dir, filepath.FromSlash(f.Path)), archive, f); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	for name := range todo {
		return fmt.Errorf("%s is missing: it was cut off", name)
	}
	return nil
}

// writeVerified writes a new file, whose content must be what the index says.
func writeVerified(file string, r io.Reader, want File) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, sum), r)
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	if lifecycle.DigestOf(sum) != want.Digest {
		return errOther
	}
	return nil
}

// whole verifies files that were unpacked before.
func (b Bundle) whole() error {
	for _, f := range b.Files {
		r, err := os.Open(filepath.Join(b.Dir, filepath.FromSlash(f.Path)))
		if err != nil {
			return err
		}
		sum := sha256.New()
		_, err = io.Copy(sum, r)
		if err := errors.Join(err, r.Close()); err != nil {
			return err
		}
		if lifecycle.DigestOf(sum) != f.Digest {
			return fmt.Errorf("%s: %w", f.Path, errOther)
		}
	}
	return nil
}
