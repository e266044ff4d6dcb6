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
	"os"
	"strconv"
	"strings"
)

func sha256sum(_ context.Context, c *Call) int { return c.sum(sha256.New) }
func md5sum(_ context.Context, c *Call) int    { return c.sum(md5.New) }

func (c *Call) sum(kind func() hash.Hash) int {
	o, err := c.parse("b", "c", "quiet", "status", "check")
	if err != nil {
		return c.usage("%v", err)
	}
	one := func(r io.Reader) (string, error) {
		h := kind()
		_, err := io.Copy(h, r)
		return hex.EncodeToString(h.Sum(nil)), err
	}
	if !o.has("c", "check") {
		mark := " "
		if o.has("b") {
			mark = "*"
		}
		return c.inputs(o.args, func(p string, r io.Reader) error {
			s, err := one(r)
			if err == nil {
				fmt.Fprintf(c.Out, "%s %s%s\n", s, mark, p)
			}
			return err
		})
	}
	bad := 0
	status := c.inputs(o.args, func(_ string, r io.Reader) error {
		return lines(r, func(l string) bool {
			want, name, ok := strings.Cut(l, " ")
			name = strings.TrimLeft(name, " *")
			verdict := "OK"
			f, err := c.open(name)
			if err == nil {
				defer f.Close()
				if got, err := one(f); err != nil || !ok || got != want {
					verdict = "FAILED"
				}
			} else {
				verdict = "FAILED open or read"
			}
			if verdict != "OK" {
				bad++
			}
			if !o.has("status") && (verdict != "OK" || !o.has("quiet")) {
				fmt.Fprintf(c.Out, "%s: %s\n", name, verdict)
			}
			return true
		})
	})
	if bad > 0 {
		return 1
	}
	return status
}

func base64Program(_ context.Context, c *Call) int {
	o, err := c.parse("d", "w:", "i", "decode", "wrap=")
	if err != nil {
		return c.usage("%v", err)
	}
	width := 76
	if o.has("w", "wrap") {
		if width, err = strconv.Atoi(o.value("w", "wrap")); err != nil {
			return c.usage("invalid wrap size: '%s'", o.value("w", "wrap"))
		}
	}
	return c.inputs(o.args, func(_ string, r io.Reader) error {
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if o.has("d", "decode") {
			out, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(b)), ""))
			if err != nil {
				return errors.New("invalid input")
			}
			_, err = c.Out.Write(out)
			return err
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

// blockSize reads dd's numbers: 512, 4k, 1M.
func blockSize(s string, def int64) (int64, error) {
	if s == "" {
		return def, nil
	}
	mult := int64(1)
	for suffix, m := range map[string]int64{"k": 1 << 10, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "b": 512} {
		if t, ok := strings.CutSuffix(s, suffix); ok {
			s, mult = t, m
			break
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n * mult, err
}

func dd(_ context.Context, c *Call) int {
	kv := map[string]string{}
	for _, s := range c.Args[1:] {
		k, v, ok := strings.Cut(s, "=")
		if !ok || !strings.Contains(" if of bs count seek skip conv status iflag oflag ", " "+k+" ") {
			return c.usage("unrecognized operand '%s'", s)
		}
		kv[k] = v
	}
	bs, err := blockSize(kv["bs"], 512)
	if err != nil || bs <= 0 {
		return c.usage("invalid number: '%s'", kv["bs"])
	}
	numbers := map[string]int64{}
	for _, k := range []string{"count", "seek", "skip"} {
		if numbers[k], err = blockSize(kv[k], 0); err != nil {
			return c.usage("invalid number: '%s'", kv[k])
		}
	}
	var in io.Reader = c.In
	if p := kv["if"]; p != "" && p != "/dev/stdin" {
		f, err := c.Files.Open(p, os.O_RDONLY, 0)
		if err != nil {
			fmt.Fprintf(c.Err, "dd: failed to open '%s': %s\n", p, reason(err))
			return 1
		}
		defer f.Close()
		if _, err := f.Seek(numbers["skip"]*bs, io.SeekStart); err != nil {
			return c.fail(err)
		}
		in = f
	} else if n := numbers["skip"] * bs; n > 0 {
		if _, err := io.CopyN(io.Discard, in, n); err != nil {
			return c.fail(err)
		}
	}
	if kv["count"] != "" {
		in = io.LimitReader(in, numbers["count"]*bs)
	}
	var out io.Writer = c.Out
	if p := kv["of"]; p != "" && p != "/dev/stdout" {
		flags := os.O_WRONLY | os.O_CREATE
		if !strings.Contains(kv["conv"], "notrunc") {
			flags |= os.O_TRUNC
		}
		f, err := c.Files.Open(p, flags, 0o666)
		if err != nil {
			fmt.Fprintf(c.Err, "dd: failed to open '%s': %s\n", p, reason(err))
			return 1
		}
		defer f.Close()
		if _, err := f.Seek(numbers["seek"]*bs, io.SeekStart); err != nil {
			return c.fail(err)
		}
		out = f
	}
	n, err := io.Copy(out, in)
	if kv["status"] != "none" {
		full, part := n/bs, 0
		if n%bs > 0 {
			part = 1
		}
		fmt.Fprintf(c.Err, "%d+%d records in\n%d+%d records out\n%d bytes copied\n", full, part, full, part, n)
	}
	if err != nil {
		fmt.Fprintf(c.Err, "dd: error writing '%s': %s\n", kv["of"], reason(unwrap(err)))
		return 1
	}
	return 0
}
