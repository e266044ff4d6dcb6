package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// limit bounds one run of one package's tests: a change may make them wait for ever, which is caught too.
const limit = 3 * time.Minute

// suite is the compiled tests of a package.
type suite struct{ dir, binary string }

type suites []suite

// compile builds the tests of every package once, with the overlay's files in them.
func compile(ctx context.Context, dir, overlay string) (suites, error) {
	var out suites
	for _, p := range packages() {
		s := suite{dir: p, binary: filepath.Join(dir, strings.ReplaceAll(p, "/", "-")+".test")}
		cmd := exec.CommandContext(ctx, "go", "test", "-vet=off", "-c", "-overlay", overlay, "-o", s.binary, "./"+p)
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("compile the tests of %s: %w\n%s", p, err, text)
		}
		out = append(out, s)
	}
	return out, nil
}

// caughtBy runs the tests with a change in the tables, "" for none, until one fails: it names the package, or the pin when only that
// notices. "": nothing fails.
func (ss suites) caughtBy(ctx context.Context, mutant string) (string, error) {
	for _, s := range ss {
		if failed, err := s.fails(ctx, mutant, "-test.skip", pin+"|"+slow); failed || err != nil {
			return s.dir, err
		}
	}
	failed, err := ss[0].fails(ctx, mutant, "-test.run", "^"+pin+"$")
	if failed {
		return pin, err
	}
	return "", err
}

func (s suite) fails(ctx context.Context, mutant string, args ...string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.binary, append(args, "-test.failfast")...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "KIBAN_MUTANT="+mutant)
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return true, nil // a timeout kills it, which is an exit as well
	}
	return false, err
}
