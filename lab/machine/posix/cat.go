package posix

import (
	"context"
	"errors"
	"io"
	"os"
)

func cat(_ context.Context, c *Call) int {
	o, err := c.parse("u")
	if err != nil {
		return c.usage("%v", err)
	}
	return c.inputs(o.args, func(_ string, r io.Reader) error {
		_, err := io.Copy(c.Out, r)
		return err
	})
}

// tee goes on with the other files when one cannot be written.
func tee(_ context.Context, c *Call) int {
	o, err := c.parse("a")
	if err != nil {
		return c.usage("%v", err)
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if o.has("a") {
		flags = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	status := 0
	outs := []io.Writer{c.Out}
	for _, p := range o.args {
		f, err := c.Files.Open(p, flags, 0o666)
		if err != nil {
			status = c.fail(err)
			continue
		}
		defer f.Close()
		outs = append(outs, f)
	}
	b := make([]byte, 32<<10)
	for {
		n, err := c.In.Read(b)
		for i, w := range outs {
			if w == nil || n == 0 {
				continue
			}
			if _, werr := w.Write(b[:n]); werr != nil {
				status = c.fail(werr)
				outs[i] = nil
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return status
		case err != nil:
			return c.fail(err)
		}
	}
}
