package posix

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// open opens an input file, "-" and /dev/stdin being the standard input.
func (c *Call) open(p string) (io.ReadCloser, error) {
	if p == "-" || p == "/dev/stdin" {
		return io.NopCloser(c.In), nil
	}
	return c.Files.Open(p, os.O_RDONLY, 0)
}

// inputs runs each for every input file, or for standard input when there are none; files that cannot be read give status 1.
func (c *Call) inputs(files []string, each func(name string, r io.Reader) error) int {
	return c.inputsOr(1, files, each)
}

// inputsOr is inputs with another status for files that cannot be read.
func (c *Call) inputsOr(bad int, files []string, each func(name string, r io.Reader) error) int {
	if len(files) == 0 {
		files = []string{"-"}
	}
	status := 0
	for _, p := range files {
		f, err := c.open(p)
		if err == nil {
			err = each(p, f)
			f.Close()
		}
		if err != nil {
			c.fail(named(p, err))
			status = bad
		}
	}
	return status
}

// named is an error about a file under the name that it was asked for.
func named(p string, err error) error {
	return &fs.PathError{Op: "read", Path: p, Err: unwrap(err)}
}

// line is a line of text; the last one of a file may have no end.
type line struct {
	text  string
	ended bool
}

func (l line) String() string {
	if l.ended {
		return l.text + "\n"
	}
	return l.text
}

// lines calls each with every line until it returns false.
func lines(r io.Reader, each func(line) bool) error {
	b := bufio.NewReaderSize(r, 64<<10)
	for {
		s, err := b.ReadString('\n')
		if s != "" {
			text, ended := strings.CutSuffix(s, "\n")
			if !each(line{text, ended}) {
				return nil
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// number reads a count with GNU's suffixes: 512, 4k, 1M, 2MB.
func number(s string) (int64, error) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	n, err := strconv.ParseInt(s[:i], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("invalid number: '%s'", s)
	}
	unit, ok := map[string]int64{
		"": 1, "b": 512, "kB": 1000, "k": 1 << 10, "K": 1 << 10, "KiB": 1 << 10, "MB": 1e6, "M": 1 << 20, "MiB": 1 << 20, "GB": 1e9,
		"G": 1 << 30, "GiB": 1 << 30,
	}[s[i:]]
	if !ok || n > (1<<62)/unit {
		return 0, fmt.Errorf("invalid number: '%s'", s)
	}
	return n * unit, nil
}
