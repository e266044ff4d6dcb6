package posix

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

type ctxT = context.Context

func succeed(context.Context, *Call) int { return 0 }

// open opens an input file, "-" and /dev/stdin being the standard input.
func (c *Call) open(p string) (io.ReadCloser, error) {
	if p == "-" || p == "/dev/stdin" {
		return io.NopCloser(c.In), nil
	}
	return c.Files.Open(p, os.O_RDONLY, 0)
}

// inputs runs each for every input file, or for standard input when there are none; files that cannot be read give status 1.
func (c *Call) inputs(files []string, each func(name string, r io.Reader) error) int {
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
			status = c.fail(err)
		}
	}
	return status
}

// lines calls each with every line, without its end.
func lines(r io.Reader, each func(string) bool) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), 64<<20)
	for s.Scan() {
		if !each(s.Text()) {
			return nil
		}
	}
	return s.Err()
}

func cat(_ context.Context, c *Call) int {
	o, err := c.parse("u")
	if err != nil {
		return c.usage("%v", err)
	}
	return c.inputs(o.args, func(p string, r io.Reader) error {
		if fi, err := c.Files.Stat(p); err == nil && fi.IsDir() && p != "-" {
			return fmt.Errorf("%s: Is a directory", p)
		}
		_, err := io.Copy(c.Out, r)
		return err
	})
}

// count reads "-n N", "-N" and "-c N" of head and tail.
func (c *Call) count() (n int, unit byte, fromStart bool, files []string, err error) {
	if len(c.Args) > 1 && len(c.Args[1]) > 1 && c.Args[1][0] == '-' && c.Args[1][1] >= '0' && c.Args[1][1] <= '9' {
		c = c.with(append([]string{c.Args[0], "-n", c.Args[1][1:]}, c.Args[2:]...))
	}
	o, err := c.parse("n:", "c:", "q", "lines=", "bytes=")
	if err != nil {
		return
	}
	v, unit := "10", byte('n')
	if o.has("n", "lines") {
		v = o.value("n", "lines")
	}
	if o.has("c", "bytes") {
		v, unit = o.value("c", "bytes"), 'c'
	}
	fromStart = strings.HasPrefix(v, "+")
	n, err = strconv.Atoi(v)
	return n, unit, fromStart, o.args, err
}

func head(_ context.Context, c *Call) int {
	n, unit, _, files, err := c.count()
	if err != nil {
		return c.usage("%v", err)
	}
	return c.inputs(files, func(_ string, r io.Reader) error {
		if unit == 'c' {
			_, err := io.CopyN(c.Out, r, int64(n))
			if err == io.EOF {
				err = nil
			}
			return err
		}
		left := n
		if left == 0 {
			return nil
		}
		return lines(r, func(l string) bool {
			fmt.Fprintln(c.Out, l)
			left--
			return left > 0
		})
	})
}

func tail(_ context.Context, c *Call) int {
	n, unit, fromStart, files, err := c.count()
	if err != nil {
		return c.usage("%v", err)
	}
	return c.inputs(files, func(_ string, r io.Reader) error {
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if unit == 'c' {
			if fromStart {
				_, err = c.Out.Write(b[min(max(n-1, 0), len(b)):])
			} else {
				_, err = c.Out.Write(b[max(0, len(b)-n):])
			}
			return err
		}
		ls := bytes.SplitAfter(b, []byte("\n"))
		if len(ls) > 0 && len(ls[len(ls)-1]) == 0 {
			ls = ls[:len(ls)-1]
		}
		from := max(0, len(ls)-n)
		if fromStart {
			from = min(max(n-1, 0), len(ls))
		}
		_, err = c.Out.Write(bytes.Join(ls[from:], nil))
		return err
	})
}

func wc(_ context.Context, c *Call) int {
	o, err := c.parse("l", "c", "w")
	if err != nil {
		return c.usage("%v", err)
	}
	return c.inputs(o.args, func(p string, r io.Reader) error {
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		var cols []string
		all := !o.has("l", "c", "w")
		if all || o.has("l") {
			cols = append(cols, strconv.Itoa(bytes.Count(b, []byte("\n"))))
		}
		if all || o.has("w") {
			cols = append(cols, strconv.Itoa(len(bytes.Fields(b))))
		}
		if all || o.has("c") {
			cols = append(cols, strconv.Itoa(len(b)))
		}
		if p != "-" {
			cols = append(cols, p)
		}
		fmt.Fprintln(c.Out, strings.Join(cols, " "))
		return nil
	})
}

// ranges reads cut's list: "1,3-5,7-".
func ranges(s string) (func(int) bool, error) {
	type span struct{ from, to int }
	var spans []span
	for _, p := range strings.Split(s, ",") {
		a, b, dash := strings.Cut(p, "-")
		from, err := strconv.Atoi(a)
		if a == "" && dash {
			from, err = 1, nil
		}
		to := from
		if err == nil && dash {
			if to = 1 << 30; b != "" {
				to, err = strconv.Atoi(b)
			}
		}
		if err != nil || from < 1 {
			return nil, fmt.Errorf("invalid field value '%s'", s)
		}
		spans = append(spans, span{from, to})
	}
	return func(n int) bool {
		return slices.ContainsFunc(spans, func(s span) bool { return n >= s.from && n <= s.to })
	}, nil
}

func cut1(_ context.Context, c *Call) int {
	o, err := c.parse("d:", "f:", "c:", "s")
	if err != nil {
		return c.usage("%v", err)
	}
	sep := "\t"
	if o.has("d") {
		sep = o.value("d")
	}
	list := o.value("f", "c")
	in, err := ranges(list)
	if err != nil {
		return c.usage("%v", err)
	}
	return c.inputs(o.args, func(_ string, r io.Reader) error {
		return lines(r, func(l string) bool {
			if o.has("c") {
				sep = ""
			} else if !strings.Contains(l, sep) {
				if !o.has("s") {
					fmt.Fprintln(c.Out, l)
				}
				return true
			}
			var kept []string
			for i, f := range strings.Split(l, sep) {
				if in(i + 1) {
					kept = append(kept, f)
				}
			}
			fmt.Fprintln(c.Out, strings.Join(kept, sep))
			return true
		})
	})
}

func sortLines(_ context.Context, c *Call) int {
	o, err := c.parse("u", "r", "n", "V")
	if err != nil {
		return c.usage("%v", err)
	}
	var all []string
	status := c.inputs(o.args, func(_ string, r io.Reader) error {
		return lines(r, func(l string) bool { all = append(all, l); return true })
	})
	slices.SortStableFunc(all, func(a, b string) int {
		if o.has("n") {
			x, _ := strconv.ParseFloat(strings.Fields(a + " 0")[0], 64) // what is no number counts as 0
			y, _ := strconv.ParseFloat(strings.Fields(b + " 0")[0], 64)
			if x != y {
				if x < y {
					return -1
				}
				return 1
			}
		}
		return strings.Compare(a, b)
	})
	if o.has("r") {
		slices.Reverse(all)
	}
	if o.has("u") {
		all = slices.Compact(all)
	}
	for _, l := range all {
		fmt.Fprintln(c.Out, l)
	}
	return status
}

func uniq(_ context.Context, c *Call) int {
	o, err := c.parse("c", "d")
	if err != nil {
		return c.usage("%v", err)
	}
	last, n := "", 0
	flush := func() {
		switch {
		case n == 0 || o.has("d") && n == 1:
		case o.has("c"):
			fmt.Fprintf(c.Out, "%7d %s\n", n, last)
		default:
			fmt.Fprintln(c.Out, last)
		}
	}
	status := c.inputs(o.args, func(_ string, r io.Reader) error {
		return lines(r, func(l string) bool {
			if n > 0 && l == last {
				n++
				return true
			}
			flush()
			last, n = l, 1
			return true
		})
	})
	flush()
	return status
}

func tee(_ context.Context, c *Call) int {
	o, err := c.parse("a")
	if err != nil {
		return c.usage("%v", err)
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if o.has("a") {
		flags = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	outs, status := []io.Writer{c.Out}, 0
	for _, p := range o.args {
		f, err := c.Files.Open(p, flags, 0o666)
		if err != nil {
			status = c.fail(err)
			continue
		}
		defer f.Close()
		outs = append(outs, f)
	}
	if _, err := io.Copy(io.MultiWriter(outs...), c.In); err != nil {
		return c.fail(err)
	}
	return status
}

func echo(_ context.Context, c *Call) int {
	fmt.Fprintln(c.Out, strings.Join(c.Args[1:], " "))
	return 0
}
