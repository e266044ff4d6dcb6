package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// ownModule is what changes between two builds of somebody who works on kiban.
const ownModule = "kiban.dev/"

// manyPackages is how many packages of others must have been compiled for the rest to be counted. Counting costs a second or two of one
// processor.
const manyPackages = 30

type builder struct {
	ctx     context.Context
	targets []target
	tell    *teller
	// foreign counts what was compiled of other modules and of Go itself.
	foreign int
	// compiled are the packages seen so far, counted the packages that there are to compile, once that is known.
	compiled map[string]bool
	counted  bool
}

func (b *builder) command(dir string, args ...string) *exec.Cmd {
	c := exec.CommandContext(b.ctx, "go", append([]string{"-C", dir}, args...)...)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 10 * time.Second
	return c
}

// build runs go build for one target, and follows what it compiles.
func (b *builder) build(t target) error {
	c := b.command(t.dir, "build", "-v", "-ldflags", "-s -w", "-o", t.out, t.pkg)
	c.Stdout = os.Stdout
	lines, err := c.StderrPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	b.follow(lines)
	return c.Wait()
}

// follow reads what go build -v prints: the path of each package as it begins to compile it, and whatever there is to complain about.
func (b *builder) follow(lines io.Reader) {
	for scan := bufio.NewScanner(lines); scan.Scan(); {
		line := scan.Text()
		if !isPackage(line) {
			b.tell.pass(line)
			continue
		}
		if b.compiled == nil {
			b.compiled = map[string]bool{}
		}
		b.compiled[line] = true
		if !strings.HasPrefix(line, ownModule) {
			b.foreign++
		}
		if b.foreign >= manyPackages && !b.counted {
			b.counted = true
			b.tell.compiling(b.remaining())
		}
		b.tell.compiled(len(b.compiled))
	}
}

var packagePath = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._~/-]*$`)

// isPackage tells a package's path from a message, which has blanks.
func isPackage(line string) bool { return packagePath.MatchString(line) }

// remaining is how many packages all targets need that were not compiled when the build began. Go knows what is out of date; it compiles a
// package that two targets need once, if their go.mod files agree.
func (b *builder) remaining() int {
	all := map[string]bool{}
	for path := range b.compiled {
		all[path] = true
	}
	for _, t := range b.targets {
		out, err := b.command(t.dir, "list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", t.pkg).Output()
		if err != nil {
			continue // go build says what is wrong
		}
		for path := range strings.FieldsSeq(string(out)) {
			all[path] = true
		}
	}
	return len(all)
}
