package posix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// ddOperands are what dd understands, and for those that take a list of words, which.
func ddOperands() map[string][]string {
	return map[string][]string{"if": nil, "of": nil, "bs": nil, "count": nil, "seek": nil, "skip": nil,
		"conv": {"notrunc", "fsync", "fdatasync"}, "status": {"none", "noxfer"}, "iflag": {"fullblock"}, "oflag": {"sync", "dsync"}}
}

type ddOptions struct {
	words                 map[string]string
	bs, count, seek, skip int64
}

func (c *Call) ddOptions() (ddOptions, error) {
	d := ddOptions{words: map[string]string{}}
	for _, s := range c.Args[1:] {
		k, v, ok := strings.Cut(s, "=")
		known, found := ddOperands()[k]
		if !ok || !found {
			return d, fmt.Errorf("unrecognized operand '%s'", s)
		}
		for _, w := range strings.Split(v, ",") {
			if known != nil && !slices.Contains(known, w) {
				return d, fmt.Errorf("invalid %s: '%s'", k, w)
			}
		}
		d.words[k] = v
	}
	for _, n := range []struct {
		name string
		to   *int64
		def  int64
	}{{"bs", &d.bs, 512}, {"count", &d.count, -1}, {"seek", &d.seek, 0}, {"skip", &d.skip, 0}} {
		*n.to = n.def
		v, given := d.words[n.name]
		if !given {
			continue
		}
		var err error
		if *n.to, err = number(v); err != nil {
			return d, err
		}
	}
	if d.bs == 0 {
		return d, errors.New("invalid number: '0'")
	}
	return d, nil
}

func dd(_ context.Context, c *Call) int {
	d, err := c.ddOptions()
	if err != nil {
		return c.usage("%v", err)
	}
	in, err := c.ddInput(d)
	if err != nil {
		return 1
	}
	defer in.Close()
	out, err := c.ddOutput(d)
	if err != nil {
		return 1
	}
	defer out.Close()
	n, err := d.copy(out, in)
	status := 0
	if err != nil {
		fmt.Fprintf(c.Err, "dd: error reading or writing: %s\n", reason(unwrap(err)))
		status = 1
	}
	if strings.Contains(d.words["conv"], "sync") || strings.Contains(d.words["oflag"], "sync") {
		_ = c.Files.Sync(d.words["of"]) // one that can't be synced, such as a pipe, has nothing to lose
	}
	if d.words["status"] != "none" {
		full, part := n/d.bs, 0
		if n%d.bs > 0 {
			part = 1
		}
		fmt.Fprintf(c.Err, "%d+%d records in\n%d+%d records out\n", full, part, full, part)
		if d.words["status"] != "noxfer" {
			fmt.Fprintf(c.Err, "%d bytes copied\n", n)
		}
	}
	return status
}

func (d ddOptions) copy(out io.Writer, in io.Reader) (int64, error) {
	if d.count >= 0 {
		in = io.LimitReader(in, d.count*d.bs)
	}
	return io.Copy(out, in)
}

func (c *Call) ddInput(d ddOptions) (io.ReadCloser, error) {
	p := d.words["if"]
	if p == "" {
		p = "/dev/stdin"
	}
	in, err := c.open(p)
	if err != nil {
		fmt.Fprintf(c.Err, "dd: failed to open '%s': %s\n", p, reason(err))
		return nil, err
	}
	if n := d.skip * d.bs; n > 0 {
		if _, err := io.CopyN(io.Discard, in, n); err != nil && !errors.Is(err, io.EOF) {
			in.Close()
			return nil, errors.New(c.failed(named(p, err)))
		}
	}
	return in, nil
}

// failed is fail for those that return an error.
func (c *Call) failed(err error) string {
	c.fail(err)
	return err.Error()
}

func (c *Call) ddOutput(d ddOptions) (io.WriteCloser, error) {
	p := d.words["of"]
	if p == "" || p == "/dev/stdout" {
		return unclosed{c.Out}, nil
	}
	f, err := c.Files.Open(p, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		fmt.Fprintf(c.Err, "dd: failed to open '%s': %s\n", p, reason(err))
		return nil, err
	}
	at := d.seek * d.bs
	if !strings.Contains(d.words["conv"], "notrunc") {
		err = f.Truncate(at)
	}
	if err == nil {
		_, err = f.Seek(at, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, errors.New(c.failed(named(p, err)))
	}
	return f, nil
}

// unclosed is a writer that somebody else closes.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }
