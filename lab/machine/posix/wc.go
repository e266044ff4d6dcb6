package posix

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// counts are wc's columns in the order in which they are printed.
type counts [4]int

func wcColumns() []string { return []string{"l", "w", "m", "c"} }

func countsOf(b []byte) counts {
	return counts{bytes.Count(b, []byte("\n")), words(b), characters(b), len(b)}
}

// words counts what lies between blanks and has something that can be printed.
func words(b []byte) int {
	n := 0
	for _, f := range bytes.Fields(b) {
		if bytes.ContainsFunc(f, func(r rune) bool { return r != utf8.RuneError && unicode.IsPrint(r) }) {
			n++
		}
	}
	return n
}

// characters counts the valid ones, as GNU does.
func characters(b []byte) int {
	n := 0
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r != utf8.RuneError || size > 1 {
			n++
		}
		b = b[size:]
	}
	return n
}

func wc(_ context.Context, c *Call) int {
	o, err := c.parse("l", "c", "w", "m")
	if err != nil {
		return c.usage("%v", err)
	}
	var shown []int
	for i, f := range wcColumns() {
		if o.has(f) || !o.has(wcColumns()...) && f != "m" {
			shown = append(shown, i)
		}
	}
	width := 1
	if len(shown) > 1 || len(o.args) > 1 {
		width = c.wcWidth(o.args)
	}
	show := func(n counts, name string) {
		var cols []string
		for _, i := range shown {
			cols = append(cols, fmt.Sprintf("%*d", width, n[i]))
		}
		if name != "" {
			cols = append(cols, name)
		}
		fmt.Fprintln(c.Out, strings.Join(cols, " "))
	}
	var total counts
	status := c.inputs(o.args, func(p string, r io.Reader) error {
		b, err := io.ReadAll(r)
		n := countsOf(b)
		for i := range n {
			total[i] += n[i]
		}
		if len(o.args) == 0 {
			p = ""
		}
		show(n, p)
		return err
	})
	if len(o.args) > 1 {
		show(total, "total")
	}
	return status
}

// wcWidth is the width of GNU's columns: what the sum of the sizes needs, and at least 7 when something is no plain file.
func (c *Call) wcWidth(files []string) int {
	if len(files) == 0 {
		files = []string{"-"}
	}
	least, total := 1, int64(0)
	for _, p := range files {
		var fi fs.FileInfo
		var err error
		if p == "-" || p == "/dev/stdin" {
			if f, ok := c.In.(*os.File); ok {
				fi, err = f.Stat()
			}
		} else {
			fi, err = c.Files.Stat(p)
		}
		switch {
		case err != nil:
		case fi != nil && fi.Mode().IsRegular():
			total += fi.Size()
		default:
			least = 7
		}
	}
	return max(least, len(strconv.FormatInt(total, 10)))
}
