package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// settle is the pause between two looks at something that ends by itself.
func settle() { time.Sleep(300 * time.Millisecond) }

// commandOf is a program in a process group of its own, which is ended with it.
func commandOf(ctx context.Context, dir string, env []string, name string, args ...string) *exec.Cmd {
	if path, err := findIn(env, name); err == nil {
		name = path
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	return cmd
}

// endGroup ends whoever of a program's group has outlived it, or did not hear that it was to end.
func endGroup(ctx context.Context, cmd *exec.Cmd) {
	if ctx.Err() != nil && cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}

// findIn looks for a program where its environment's PATH says, which is not this process's.
func findIn(env []string, name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, v := range env {
		list, ok := strings.CutPrefix(v, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(list) {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
				return path, nil
			}
		}
	}
	return exec.LookPath(name)
}

// command runs a program to its end. It gives what it printed, both streams in one, and its exit code; an error says that it did not come
// to one.
func command(ctx context.Context, dir string, env []string, name string, args ...string) (out string, code int, err error) {
	var b bytes.Buffer
	cmd := commandOf(ctx, dir, env, name, args...)
	cmd.Stdout, cmd.Stderr = &b, &b
	err = cmd.Run()
	endGroup(ctx, cmd)
	if ctx.Err() != nil {
		return b.String(), -1, ctx.Err()
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return b.String(), exit.ExitCode(), nil
	}
	return b.String(), 0, err
}

// must runs a program that has to succeed, and gives its output without the space around it.
func must(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	out, code, err := command(ctx, dir, env, name, args...)
	if err == nil && code != 0 {
		err = fmt.Errorf("exit code %d", code)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, tail(out, 40))
	}
	return strings.TrimSpace(out), nil
}

// tail is the end of a text.
func tail(s string, lines int) string {
	all := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// environment is what programs of the trial see: what finds programs, and nothing of the user's that could lead a job elsewhere.
func environment(home string, path ...string) []string {
	env := []string{"PATH=" + strings.Join(append(path, os.Getenv("PATH")), ":"), "HOME=" + home, "LANG=C.UTF-8", "NO_PROXY=127.0.0.1",
		"no_proxy=127.0.0.1"}
	if dir := os.Getenv("TMPDIR"); dir != "" {
		env = append(env, "TMPDIR="+dir)
	}
	return env
}
