package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts run kiban as a command of its own.
func TestMain(m *testing.M) {
	kiban := func() { os.Exit(Run(context.Background(), systemStreams(), os.Args[1:])) }
	testscript.Main(m, map[string]func(){"kiban": kiban, "kubectl-kiban": kiban})
}

// TestScripts runs testdata/script/*.txtar: what a user types and what kiban answers. `exits CODE kiban ...` checks the exit code.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			root, err := filepath.Abs(filepath.Join("..", ".."))
			env.Setenv("FLEET", root)
			serveFiles(env)
			listenHook(env)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"fill":  fillIn,
			"hook":  hookAnswers,
			"pack":  packChart,
			"serve": serve,
		},
	})
}

// exits runs a command and wants that exit code: testscript's own `!` only tells 0 from the rest.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}
