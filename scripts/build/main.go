// Command build builds bin/kiban and bin/kiban-lab as `go build` does. Where there is much to compile, as on a machine that never did, it
// says beforehand how much and about how long, and then how far it is. Where there is little, it says nothing.
//
//	go run ./scripts/build kiban kiban-lab
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// target is one program: `go -C dir build` of a package, whose result is out, relative to dir.
type target struct{ name, dir, pkg, out string }

func targets() []target {
	return []target{
		{"kiban", ".", "./cmd/kiban", "bin/kiban"},
		{"kiban-lab", "lab", "./cmd/kiban-lab", "../bin/kiban-lab"},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit): // go has said why
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	told := newTeller(os.Stderr, isTerminal(os.Stderr))
	b := &builder{ctx: ctx, targets: chosen, tell: told}
	if err := b.fetch(); err != nil {
		return err
	}
	for _, t := range chosen {
		if err := b.build(t); err != nil {
			told.end()
			return err
		}
	}
	told.done(time.Since(told.began))
	return nil
}

func choose(names []string) ([]target, error) {
	var chosen []target
	for _, name := range names {
		found := false
		for _, t := range targets() {
			if t.name == name {
				chosen, found = append(chosen, t), true
			}
		}
		if !found {
			return nil, fmt.Errorf("nothing is called %q: kiban, kiban-lab", name)
		}
	}
	if chosen == nil {
		return nil, errors.New("say what to build: kiban, kiban-lab")
	}
	return chosen, nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
