package supply

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// writeWhole writes a file whole or not at all, and gives its size and digest.
func writeWhole(file string, write func(io.Writer) error) (int64, string, error) {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".bundle-*")
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when it was renamed
	sum := sha256.New()
	counted := &counter{w: io.MultiWriter(tmp, sum)}
	err = write(counted)
	if err := errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return 0, "", err
	}
	return counted.n, "sha256:" + hex.EncodeToString(sum.Sum(nil)), os.Rename(tmp.Name(), file)
}

// counter counts what it passes on.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
