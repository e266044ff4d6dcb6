package posix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// ranges reads cut's list: "1,3-5,7-".
func ranges(s string) (func(int) bool, error) {
	type span struct{ from, to int }
	var spans []span
	for _, p := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		a, b, dash := strings.Cut(p, "-")
		var err error
		from, to := 1, 1<<30
		if a != "" {
			from, err = strconv.Atoi(a)
		}
		if !dash {
			to = from
		} else if b != "" && err == nil {
			to, err = strconv.Atoi(b)
		}
		if err != nil || from < 1 || to < from || a == "" && b == "" {
			return nil, fmt.Errorf("invalid list '%s'", s)
		}
		spans = append(spans, span{from, to})
	}
	if spans == nil {
		return nil, errors.New("fields and positions are numbered from 1")
	}
	return func(n int) bool {
		return slices.ContainsFunc(spans, func(s span) bool { return n >= s.from && n <= s.to })
	}, nil
}

func cutFields(_ context.Context, c *Call) int {
	o, err := c.parse("d:", "f:", "c:", "b:", "s")
	if err != nil {
		return c.usage("%v", err)
	}
	lists := len(o.set["f"]) + len(o.set["c"]) + len(o.set["b"])
	sep := "\t"
	switch {
	case lists != 1:
		return c.usage("exactly one list of bytes, characters, or fields must be specified")
	case o.has("c", "b") && o.has("d"):
		return c.usage("an input delimiter may be specified only when operating on fields")
	case o.has("c", "b") && o.has("s"):
		return c.usage("suppressing non-delimited lines makes sense only when operating on fields")
	case o.has("c", "b"):
		sep = ""
	case o.has("d"):
		if sep = o.value("d"); len(sep) > 1 {
			return c.usage("the delimiter must be a single character")
		}
		if sep == "" {
			sep = "\x00"
		}
	}
	in, err := ranges(o.value("f", "c", "b"))
	if err != nil {
		return c.usage("%v", err)
	}
	return c.inputs(o.args, func(_ string, r io.Reader) error {
		return lines(r, func(l line) bool {
			if sep != "" && !strings.Contains(l.text, sep) {
				if !o.has("s") {
					fmt.Fprintln(c.Out, l.text)
				}
				return true
			}
			var kept []string
			if sep == "" {
				for i := range len(l.text) { // GNU's characters are bytes
					if in(i + 1) {
						kept = append(kept, l.text[i:i+1])
					}
				}
			} else {
				for i, f := range strings.Split(l.text, sep) {
					if in(i + 1) {
						kept = append(kept, f)
					}
				}
			}
			fmt.Fprintln(c.Out, strings.Join(kept, sep))
			return true
		})
	})
}
