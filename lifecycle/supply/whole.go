package supply

import (
	"crypto/sha256"
	"io"
	"os"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

// writeWhole writes a file whole or not at all, and gives its size and digest.
func writeWhole(file string, write func(io.Writer) error) (int64, string, error) {
	sum, counted := sha256.New(), &counter{}
	err := atomicfile.Fill(file, 0o644, func(f *os.File) error {
		counted.w = io.MultiWriter(f, sum)
		return write(counted)
	})
	if err != nil {
		return 0, "", err
	}
	return counted.n, lifecycle.DigestOf(sum), nil
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
