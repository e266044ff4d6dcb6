package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// format looks whether the Go files that changed are as gofmt writes them.
func (c *checker) format() error {
	var wrong []error
	for _, file := range c.files {
		if !strings.HasSuffix(file, ".go") || strings.Contains(file, "testdata/") {
			continue
		}
		source, err := os.ReadFile(filepath.Join(c.root, filepath.FromSlash(file)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted
		}
		if err != nil {
			return err
		}
		formatted, err := format.Source(source)
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Errorf("%s: %w", file, err))
		case !bytes.Equal(formatted, source):
			wrong = append(wrong, fmt.Errorf("%s: run gofmt -w on it", file))
		}
	}
	return errors.Join(wrong...)
}
