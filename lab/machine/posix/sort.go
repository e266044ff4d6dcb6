package posix

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// sortLines orders by bytes, by number (-n) or by version (-V). What is equal by these is ordered by bytes, unless only the first of
// what is equal is wanted (-u).
func sortLines(_ context.Context, c *Call) int {
	o, err := c.parse("u", "r", "n", "V")
	if err == nil && o.has("n") && o.has("V") {
		err = fmt.Errorf("options '-nV' are incompatible")
	}
	if err != nil {
		c.usage("%v", err)
		return 2
	}
	var all []string
	status := c.inputsOr(2, o.args, func(_ string, r io.Reader) error {
		return lines(r, func(l line) bool { all = append(all, l.text); return true })
	})
	if status != 0 {
		return status
	}
	key := strings.Compare
	switch {
	case o.has("n"):
		key = compareNumbers
	case o.has("V"):
		key = compareVersions
	}
	order := func(a, b string) int {
		n := key(a, b)
		if n == 0 && !o.has("u") {
			n = strings.Compare(a, b)
		}
		if o.has("r") {
			n = -n
		}
		return n
	}
	slices.SortStableFunc(all, order)
	if o.has("u") {
		all = slices.CompactFunc(all, func(a, b string) bool { return key(a, b) == 0 })
	}
	for _, l := range all {
		fmt.Fprintln(c.Out, l)
	}
	return 0
}

// numberParts is the number that a line begins with: its sign and its digits before and after the point. What is no number is 0.
func numberParts(s string) (negative bool, whole, fraction string) {
	s, negative = strings.CutPrefix(strings.TrimLeft(s, " \t\n"), "-")
	digits := func() string {
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		d := s[:n]
		s = s[n:]
		return d
	}
	whole = strings.TrimLeft(digits(), "0")
	if strings.HasPrefix(s, ".") {
		s = s[1:]
		fraction = strings.TrimRight(digits(), "0")
	}
	return negative && whole+fraction != "", whole, fraction
}

func compareNumbers(a, b string) int {
	an, aw, af := numberParts(a)
	bn, bw, bf := numberParts(b)
	switch {
	case an && !bn:
		return -1
	case bn && !an:
		return 1
	}
	n := len(aw) - len(bw)
	if n == 0 {
		if n = strings.Compare(aw, bw); n == 0 {
			n = strings.Compare(af, bf)
		}
	}
	if an {
		n = -n
	}
	return n
}

func uniq(_ context.Context, c *Call) int {
	o, err := c.parse("c", "d", "u")
	if err == nil && len(o.args) > 2 {
		err = fmt.Errorf("extra operand '%s'", o.args[2])
	}
	if err != nil {
		return c.usage("%v", err)
	}
	from, out := "-", c.Out
	if len(o.args) > 0 {
		from = o.args[0]
	}
	in, err := c.open(from)
	if err != nil {
		return c.fail(err)
	}
	defer in.Close()
	if len(o.args) == 2 && o.args[1] != "-" {
		f, err := c.create(o.args[1])
		if err != nil {
			return c.fail(err)
		}
		defer f.Close()
		out = f
	}
	last, n := "", 0
	flush := func() {
		switch {
		case n == 0, o.has("d") && n == 1, o.has("u") && n > 1:
		case o.has("c"):
			fmt.Fprintf(out, "%7d %s\n", n, last)
		default:
			fmt.Fprintln(out, last)
		}
	}
	err = lines(in, func(l line) bool {
		if n > 0 && l.text == last {
			n++
			return true
		}
		flush()
		last, n = l.text, 1
		return true
	})
	if err != nil {
		return c.fail(named(from, err))
	}
	flush()
	return 0
}
