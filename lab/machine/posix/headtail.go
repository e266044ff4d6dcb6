package posix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// extent is what head and tail print of each file: "-n N", "-N" and "-c N".
type extent struct {
	n     int64
	sign  byte // '+', '-' or 0, as it was written
	bytes bool
	files []string
	title bool // before each file
	first bool // no file has been titled yet
}

func (c *Call) extent() (extent, error) {
	if len(c.Args) > 1 && len(c.Args[1]) > 1 && c.Args[1][0] == '-' && c.Args[1][1] >= '0' && c.Args[1][1] <= '9' {
		c = c.with(append([]string{c.Args[0], "-n", c.Args[1][1:]}, c.Args[2:]...))
	}
	if c.name() == "tail" && len(c.Args) > 1 && len(c.Args) < 4 && len(c.Args[1]) > 1 && c.Args[1][0] == '+' &&
		isDigit(c.Args[1][1]) { // as of old
		c = c.with(append([]string{c.Args[0], "-n", c.Args[1]}, c.Args[2:]...))
	}
	o, err := c.parse("n:", "c:", "q", "v", "lines=", "bytes=")
	if err != nil {
		return extent{}, err
	}
	e := extent{files: o.args, first: true, title: o.has("v") || len(o.args) > 1}
	if o.latest("q", "v") == "q" {
		e.title = false
	}
	v := "10"
	if last := o.latest("n", "c", "lines", "bytes"); last != "" {
		v, e.bytes = o.value("n", "c", "lines", "bytes"), last[0] == 'c' || last[0] == 'b'
	}
	digits := v
	if v != "" && (v[0] == '+' || v[0] == '-') {
		e.sign, digits = v[0], v[1:]
	}
	if e.n, err = number(digits); err != nil {
		return e, fmt.Errorf("invalid number of lines or bytes: '%s'", v)
	}
	return e, nil
}

// heading is written before a file's part when there are several.
func (c *Call) heading(e *extent, name string) {
	if !e.title {
		return
	}
	if !e.first {
		fmt.Fprintln(c.Out)
	}
	e.first = false
	if name == "-" {
		name = "standard input"
	}
	fmt.Fprintf(c.Out, "==> %s <==\n", name)
}

func head(_ context.Context, c *Call) int {
	e, err := c.extent()
	if err != nil {
		return c.usage("%v", err)
	}
	return c.inputs(e.files, func(name string, r io.Reader) error {
		c.heading(&e, name)
		switch {
		case e.sign == '-':
			b, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			_, err = c.Out.Write(b[:len(b)-len(ending(b, e))])
			return err
		case e.bytes:
			_, err := io.CopyN(c.Out, r, e.n)
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return err
		case e.n == 0:
			return nil
		}
		left := e.n
		return lines(r, func(l line) bool {
			_, err := fmt.Fprint(c.Out, l)
			left--
			return left > 0 && err == nil
		})
	})
}

func tail(_ context.Context, c *Call) int {
	e, err := c.extent()
	if err != nil {
		return c.usage("%v", err)
	}
	return c.inputs(e.files, func(name string, r io.Reader) error {
		c.heading(&e, name)
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if e.sign != '+' {
			b = ending(b, e)
		} else {
			b = b[len(beginning(b, e)):]
		}
		_, err = c.Out.Write(b)
		return err
	})
}

// ending is the last n bytes or lines.
func ending(b []byte, e extent) []byte {
	if e.bytes {
		return b[max(0, int64(len(b))-e.n):]
	}
	ls := split(b)
	return []byte(strings.Join(ls[max(0, int64(len(ls))-e.n):], ""))
}

// beginning is what lies before the n-th byte or line, counted from 1.
func beginning(b []byte, e extent) []byte {
	n := max(e.n-1, 0)
	if e.bytes {
		return b[:min(n, int64(len(b)))]
	}
	ls := split(b)
	return []byte(strings.Join(ls[:min(n, int64(len(ls)))], ""))
}

// split cuts text into lines with their ends.
func split(b []byte) []string {
	var ls []string
	for l := range bytes.Lines(b) {
		ls = append(ls, string(l))
	}
	return ls
}
