package posix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// trClass is a class of characters in the C locale, in order.
func trClass(name string) ([]byte, bool) {
	in := map[string]func(b byte) bool{
		"upper": func(b byte) bool { return b >= 'A' && b <= 'Z' },
		"lower": func(b byte) bool { return b >= 'a' && b <= 'z' },
		"digit": func(b byte) bool { return b >= '0' && b <= '9' },
		"alpha": func(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' },
		"alnum": func(b byte) bool { return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z' },
		"space": func(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' },
		"blank": func(b byte) bool { return b == ' ' || b == '\t' },
		"cntrl": func(b byte) bool { return b < ' ' || b == 0x7f },
		"print": func(b byte) bool { return b >= ' ' && b < 0x7f },
		"graph": func(b byte) bool { return b > ' ' && b < 0x7f },
		"punct": func(b byte) bool {
			return b > ' ' && b < 0x7f && !(b >= '0' && b <= '9') && !(b|0x20 >= 'a' && b|0x20 <= 'z')
		},
		"xdigit": func(b byte) bool { return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'f' },
	}[name]
	if in == nil {
		return nil, false
	}
	var bs []byte
	for b := range 256 {
		if in(byte(b)) {
			bs = append(bs, byte(b))
		}
	}
	return bs, true
}

// trSet reads one set of tr: characters, ranges, escapes and classes. Other classes than upper and lower cannot be translated to.
func trSet(s string, target bool) ([]byte, error) {
	var out []byte
	for i := 0; i < len(s); {
		if name, ok := trClassName(s[i:]); ok {
			class, known := trClass(name)
			switch {
			case !known:
				return nil, fmt.Errorf("invalid character class '%s'", name)
			case target && name != "upper" && name != "lower":
				return nil, errors.New("when translating, the only character classes that may appear in string2 are 'upper' and 'lower'")
			}
			out = append(out, class...)
			i += len(name) + 4
			continue
		}
		if strings.HasPrefix(s[i:], "[=") || s[i] == '[' && i+2 < len(s) && s[i+2] == '*' {
			return nil, fmt.Errorf("'%s' is not in the lab", s[i:])
		}
		from, n := trChar(s[i:])
		i += n
		if i+1 < len(s) && s[i] == '-' {
			to, n := trChar(s[i+1:])
			if to < from {
				return nil, fmt.Errorf("range-endpoints of '%c-%c' are in reverse collating sequence order", from, to)
			}
			for b := int(from); b <= int(to); b++ {
				out = append(out, byte(b))
			}
			i += 1 + n
			continue
		}
		out = append(out, from)
	}
	return out, nil
}

func trClassName(s string) (string, bool) {
	rest, ok := strings.CutPrefix(s, "[:")
	if !ok {
		return "", false
	}
	name, _, ok := strings.Cut(rest, ":]")
	return name, ok
}

// trChar is the character that a set goes on with, and how much of the text it takes.
func trChar(s string) (byte, int) {
	if s[0] != '\\' || len(s) == 1 {
		return s[0], 1
	}
	if b, ok := map[byte]byte{'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\'}[s[1]]; ok {
		return b, 2
	}
	n, v := 1, 0
	for n < len(s) && n < 4 && s[n] >= '0' && s[n] <= '7' && v*8+int(s[n]-'0') < 256 {
		v = v*8 + int(s[n]-'0')
		n++
	}
	if n > 1 {
		return byte(v), n
	}
	return s[1], 2
}

// translation is what tr does with each byte.
type translation struct {
	remove, squeeze [256]bool
	to              [256]byte
}

func (c *Call) translation() (*translation, error) {
	o, err := c.parse("d", "s", "c", "C")
	if err != nil {
		return nil, err
	}
	least, most := 1, 2
	switch {
	case o.has("d") && o.has("s"):
		least = 2
	case o.has("d"):
		most = 1
	case !o.has("s"):
		least = 2
	}
	if len(o.args) < least || len(o.args) > most {
		return nil, fmt.Errorf("missing or extra operand: %q", o.args)
	}
	translates := len(o.args) == 2 && !o.has("d")
	from, err := trSet(o.args[0], false)
	if err != nil {
		return nil, err
	}
	if o.has("c", "C") {
		given := from
		from = nil
		for b := range 256 {
			if !slices.Contains(given, byte(b)) {
				from = append(from, byte(b))
			}
		}
	}
	var to []byte
	if len(o.args) == 2 {
		if to, err = trSet(o.args[1], translates); err != nil {
			return nil, err
		}
	}
	t := &translation{}
	for b := range t.to {
		t.to[b] = byte(b)
	}
	if translates && len(to) == 0 && len(from) > 0 {
		return nil, errors.New("when not truncating set1, string2 must be non-empty")
	}
	for i, b := range from {
		switch {
		case o.has("d"):
			t.remove[b] = true
		case translates:
			t.to[b] = to[min(i, len(to)-1)]
		}
	}
	if o.has("s") {
		set := from
		if len(o.args) == 2 {
			set = to
		}
		for _, b := range set {
			t.squeeze[b] = true
		}
	}
	return t, nil
}

func tr(_ context.Context, c *Call) int {
	t, err := c.translation()
	if err != nil {
		return c.usage("%v", err)
	}
	b, err := io.ReadAll(c.In)
	if err != nil {
		return c.fail(err)
	}
	out := make([]byte, 0, len(b))
	for _, ch := range b {
		if t.remove[ch] {
			continue
		}
		ch = t.to[ch]
		if t.squeeze[ch] && len(out) > 0 && out[len(out)-1] == ch {
			continue
		}
		out = append(out, ch)
	}
	_, err = c.Out.Write(out)
	return c.check(err)
}
