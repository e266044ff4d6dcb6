// Command check is what one runs before each commit: formatting, vet, the linters where they are built, and the tests of the packages that
// changed and of those that depend on them, in both modules.
//
//	go run ./scripts/check                # what changed since the merge base with origin/main
//	go run ./scripts/check -base HEAD~3   # since another commit
//
// Changes that are not committed count. The end-to-end suite, and the tests that start a control plane, are left to `make test`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// linters is where `make lint` builds them.
const linters = "bin/golangci-lint"

func main() {
	base := flag.String("base", "", "the commit to compare with (the merge base with origin/main; HEAD~ where that is HEAD)")
	list := flag.Bool("list", false, "print the packages to be tested, and run nothing")
	flag.Parse()
	if err := run(*base, *list); err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(1)
	}
}

func run(base string, list bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root, err := repository(ctx)
	if err != nil {
		return err
	}
	base, err = baseCommit(ctx, root, base)
	if err != nil {
		return err
	}
	files, err := changedFiles(ctx, root, base)
	if err != nil {
		return err
	}
	c := &checker{root: root, base: base, files: files}
	for _, dir := range modules() {
		m, err := load(ctx, root, dir)
		if err != nil {
			return err
		}
		c.modules = append(c.modules, selected{module: m, selection: m.pick(files)})
	}
	if list {
		c.list()
		return nil
	}
	return c.check(ctx)
}

// selected is a module with what is to be looked at in it.
type selected struct {
	module
	selection
}

type checker struct {
	root, base string
	files      []string
	modules    []selected
	failed     []string
}

func (c *checker) list() {
	for _, m := range c.modules {
		for _, p := range m.tested() {
			fmt.Println(p)
		}
	}
}

// check goes through all steps, also when one has failed: who mends one thing wants to know the others.
func (c *checker) check(ctx context.Context) error {
	began := time.Now()
	fmt.Printf("%d files changed since %s\n", len(c.files), c.base)
	c.step("format", c.format)
	for _, m := range c.modules {
		if len(m.rebuilt) > 0 {
			c.step("vet "+m.name(), func() error { return c.tool(ctx, m, "go", "vet", m.rebuilt) })
		}
		if lint, err := filepath.Abs(filepath.Join(c.root, linters)); err == nil && exists(lint) && len(m.changed) > 0 {
			c.step("lint "+m.name(), func() error {
				return c.tool(ctx, m, lint, "run", []string{"--config", filepath.Join(c.root, ".golangci.yml")}, m.changedDirs())
			})
		}
		if tested := m.tested(); len(tested) > 0 {
			c.step(fmt.Sprintf("test %s, %d packages", m.name(), len(tested)), func() error {
				return c.tool(ctx, m, "go", "test", []string{"-vet=off", "-short"}, tested)
			})
		}
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if len(c.failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(c.failed, ", "))
	}
	fmt.Printf("all is well: %s\n", time.Since(began).Round(100*time.Millisecond))
	return nil
}

func (c *checker) step(name string, do func() error) {
	began := time.Now()
	err := do()
	took := time.Since(began).Round(100 * time.Millisecond)
	if err != nil {
		c.failed = append(c.failed, name)
		fmt.Printf("--- %s: %v (%s)\n", name, err, took)
		return
	}
	fmt.Printf("--- %s: ok (%s)\n", name, took)
}

// tool runs a program in a module's folder, with its output shown.
func (c *checker) tool(ctx context.Context, m selected, name, verb string, args ...[]string) error {
	argv := []string{verb}
	for _, a := range args {
		argv = append(argv, a...)
	}
	cmd := exec.CommandContext(ctx, name, argv...)
	cmd.Dir = filepath.Join(c.root, m.dir)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
