package posix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

func sh(ctx context.Context, c *Call) int {
	s, err := c.parseLeading("c", "s", "e", "f", "u", "x", "n")
	if err == nil && s.has("c") && len(s.args) == 0 {
		err = errors.New("-c requires an argument")
	}
	if len(s.args) > 0 && s.args[0] == "-" && !s.has("c") {
		s.args = s.args[1:]
	}
	if err != nil {
		fmt.Fprintf(c.Err, "sh: 0: %v\n", err)
		return 2
	}
	flags := ""
	for _, f := range s.order {
		if f != "c" && f != "s" {
			flags += "set -" + f + "\n"
		}
	}
	switch {
	case s.has("c"):
		n := c.with(c.Args)
		if len(s.args) > 1 {
			n.scriptName = s.args[1]
			return n.script(ctx, flags+s.args[0], s.args[2:])
		}
		return n.script(ctx, flags+s.args[0], nil)
	case s.has("s"), len(s.args) == 0:
		b, err := io.ReadAll(c.In)
		if err != nil {
			return c.fail(err)
		}
		n := c.with(c.Args)
		n.In = strings.NewReader("")
		return n.script(ctx, flags+string(b), s.args)
	}
	b, err := c.Files.ReadFile(s.args[0])
	if err != nil {
		fmt.Fprintf(c.Err, "sh: 0: cannot open %s: %s\n", s.args[0], reason(unwrap(err)))
		return 2
	}
	n := c.with(c.Args)
	n.scriptName = s.args[0]
	return n.script(ctx, flags+string(b), s.args[1:])
}
