package posix

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
)

func sha256sum(_ context.Context, c *Call) int { return c.sum(sha256.New, "SHA256") }
func md5sum(_ context.Context, c *Call) int    { return c.sum(md5.New, "MD5") }

func digest(h hash.Hash, r io.Reader) (string, error) {
	_, err := io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), err
}

func (c *Call) sum(kind func() hash.Hash, name string) int {
	o, err := c.parse("b", "c", "quiet", "status", "check")
	check := o.has("c", "check")
	switch {
	case err == nil && !check && o.has("quiet", "status"):
		err = errors.New("the --quiet and --status options are meaningful only when verifying checksums")
	case err == nil && check && o.has("b"):
		err = errors.New("the --binary option is meaningless when verifying checksums")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	if check {
		return c.verify(o, kind, name)
	}
	mark := " "
	if o.has("b") {
		mark = "*"
	}
	return c.inputs(o.args, func(p string, r io.Reader) error {
		s, err := digest(kind(), r)
		if err != nil {
			return err
		}
		escape := ""
		if strings.ContainsAny(p, "\\\n\r") {
			escape, p = `\`, strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(p)
		}
		fmt.Fprintf(c.Out, "%s%s %s%s\n", escape, s, mark, p)
		return nil
	})
}

// verify holds files against lists of checksums.
func (c *Call) verify(o options, kind func() hash.Hash, name string) int {
	digits := kind().Size() * 2
	bad := 0
	status := c.inputs(o.args, func(list string, r io.Reader) error {
		proper, malformed, unread, failed := 0, 0, 0, 0
		err := lines(r, func(l line) bool {
			want, file, ok := checksumLine(l.text, digits)
			if !ok {
				malformed++
				return true
			}
			proper++
			verdict := "OK"
			f, err := c.open(file)
			if err != nil {
				c.fail(named(file, err))
				verdict = "FAILED open or read"
				unread++
			} else {
				got, err := digest(kind(), f)
				f.Close()
				if err != nil || got != want {
					verdict = "FAILED"
					failed++
				}
			}
			if !o.has("status") && (verdict != "OK" || !o.has("quiet")) {
				fmt.Fprintf(c.Out, "%s: %s\n", file, verdict)
			}
			return true
		})
		if err != nil {
			return err
		}
		bad += unread + failed
		if proper == 0 {
			bad++
			fmt.Fprintf(c.Err, "%s: %s: no properly formatted checksum lines found\n", c.name(), list)
			return nil
		}
		if o.has("status") {
			return nil
		}
		for _, w := range []struct {
			n    int
			text string
		}{{malformed, "lines are improperly formatted"}, {unread, "listed files could not be read"}, {failed,
			"computed checksums did NOT match"}} {
			if w.n > 0 {
				fmt.Fprintf(c.Err, "%s: WARNING: %d %s\n", c.name(), w.n, w.text)
			}
		}
		return nil
	})
	if bad > 0 {
		return 1
	}
	return status
}

// checksumLine reads "DIGEST  FILE" or "DIGEST *FILE".
func checksumLine(l string, digits int) (sum, file string, ok bool) {
	l = strings.TrimLeft(l, " \t")
	l, escaped := strings.CutPrefix(l, `\`)
	if len(l) < digits+2 || l[digits] != ' ' {
		return "", "", false
	}
	sum = strings.ToLower(l[:digits])
	if _, err := hex.DecodeString(sum); err != nil {
		return "", "", false
	}
	file = l[digits+1:]
	if file[0] == ' ' || file[0] == '*' {
		file = file[1:]
	}
	if escaped {
		file = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r").Replace(file)
	}
	return sum, file, file != ""
}

func base64Program(_ context.Context, c *Call) int {
	o, err := c.parse("d", "w:", "i", "decode", "wrap=")
	if err == nil && len(o.args) > 1 {
		err = fmt.Errorf("extra operand '%s'", o.args[1])
	}
	width := 76
	if err == nil && o.has("w", "wrap") {
		if width, err = strconv.Atoi(o.value("w", "wrap")); err != nil || width < 0 {
			err = fmt.Errorf("invalid wrap size: '%s'", o.value("w", "wrap"))
		}
	}
	if err != nil {
		return c.usage("%v", err)
	}
	return c.inputs(o.args, func(_ string, r io.Reader) error {
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if o.has("d", "decode") {
			return c.decode(string(b), o.has("i"))
		}
		s := base64.StdEncoding.EncodeToString(b)
		for width > 0 && len(s) > width {
			fmt.Fprintln(c.Out, s[:width])
			s = s[width:]
		}
		fmt.Fprint(c.Out, s)
		if width > 0 && s != "" {
			fmt.Fprintln(c.Out)
		}
		return nil
	})
}

// decode writes what is valid, in groups of four characters, until something is not. Several texts may follow each other.
func (c *Call) decode(s string, ignore bool) error {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || ignore && !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", r) {
			return -1
		}
		return r
	}, s)
	for s != "" {
		group := s[:min(4, len(s))]
		s = s[len(group):]
		b, err := base64.StdEncoding.DecodeString(group)
		if err != nil {
			if text := strings.TrimRight(group, "="); len(text) > 1 { // what there is of it
				b, _ = base64.RawStdEncoding.DecodeString(text)
			}
		}
		if _, werr := c.Out.Write(b); werr != nil {
			return werr
		}
		if err != nil {
			return errors.New("invalid input")
		}
	}
	return nil
}
