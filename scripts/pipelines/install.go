package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// locked holds gitlab-ci-local, and the Node.js that it needs, with the digests of what npm fetches.
//
//go:embed npm/package.json npm/package-lock.json
var locked embed.FS

const (
	runnerVersion = "4.75.1"
	nodeVersion   = "24.21.0"
)

// needed are the programs that must be on this machine.
func needed() error {
	for name, why := range map[string]string{
		"npm":   "it comes with Node.js, and fetches gitlab-ci-local",
		"git":   "the fleet is a repository",
		"rsync": "gitlab-ci-local copies with it; on Debian: apt-get install rsync",
		"bash":  "jobs are scripts of it",
	} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("%s is not on this machine: %s", name, why)
		}
	}
	return nil
}

// install puts gitlab-ci-local into a folder below cache, once, and gives the folder of its commands. npm of any age will do: the node that
// gitlab-ci-local runs on is a package too.
func install(ctx context.Context, cache string) (bin string, err error) {
	dir := filepath.Join(cache, runnerVersion+"-node-"+nodeVersion)
	bin = filepath.Join(dir, "node_modules", ".bin")
	if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
		return bin, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	// Another trial may be at it, too: each installs aside, and whoever is done first stays.
	aside, err := os.MkdirTemp(cache, "installing-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(aside)
	if err := unpack(aside); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = aside
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	out, err := exec.CommandContext(ctx, filepath.Join(aside, "node_modules", ".bin", "node"), "--version").Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != "v"+nodeVersion {
		return "", fmt.Errorf("npm installed node %q (%v), not %s", got, err, nodeVersion)
	}
	if err := os.WriteFile(filepath.Join(aside, "complete"), nil, 0o644); err != nil {
		return "", err
	}
	if err := os.Rename(aside, dir); err != nil {
		if _, there := os.Stat(filepath.Join(dir, "complete")); there != nil {
			return "", err
		}
	}
	return bin, nil
}

func unpack(dir string) error {
	for _, name := range []string{"package.json", "package-lock.json"} {
		b, err := locked.ReadFile("npm/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
