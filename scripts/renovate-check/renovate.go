package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The releases of Renovate, and of the Node.js that it needs, that the check runs.
const (
	renovateVersion = "44.121.2"
	nodeVersion     = "24"
)

// renovate is an installed Renovate.
type renovate struct {
	bin string // the folder of its commands, and of node
}

// install puts Renovate into a folder below cache, once. npm of any age will do: the node that Renovate runs on is a package too.
func install(ctx context.Context, cache string) (renovate, error) {
	dir := filepath.Join(cache, renovateVersion)
	r := renovate{bin: filepath.Join(dir, "node_modules", ".bin")}
	if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
		return r, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return r, err
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{\"private\": true}\n"), 0o644); err != nil {
		return r, err
	}
	for _, pkg := range []string{"node@" + nodeVersion, "renovate@" + renovateVersion} {
		fmt.Fprintln(os.Stderr, "npm install", pkg, "into", dir)
		cmd := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--loglevel=error", pkg)
		cmd.Dir, cmd.Env, cmd.Stderr = dir, r.env(), os.Stderr
		if err := cmd.Run(); err != nil {
			return r, fmt.Errorf("npm install %s: %w", pkg, err)
		}
	}
	return r, os.WriteFile(filepath.Join(dir, "complete"), nil, 0o644)
}

// env is what Renovate runs with. Of the caller's environment it sees little: tokens there would be used, and the check asks nobody
// outside.
func (r renovate) env(more ...string) []string {
	env := []string{"PATH=" + r.bin + ":" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"RENOVATE_X_IGNORE_RE2=true", // the regular expressions are held against RE2 here, see matchStrings
		"CI_API_V4_URL=https://gitlab.example.com/api/v4", "CI_PROJECT_PATH=platform/fleet"}
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "NODE_EXTRA_CA_CERTS"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return append(env, more...)
}

// validate runs Renovate's own validator over the fleet's configuration, the presets, and the configuration of the job.
func (r renovate) validate(ctx context.Context, fleet string) error {
	repo := []string{"--strict", "--no-global", configFile, "renovate/fleet.json5"}
	for _, name := range presets() {
		repo = append(repo, "renovate/"+name)
	}
	for _, args := range [][]string{repo, {"--strict", "renovate/config.js"}} {
		cmd := exec.CommandContext(ctx, filepath.Join(r.bin, "renovate-config-validator"), args...)
		cmd.Dir, cmd.Env = fleet, r.env()
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("renovate-config-validator %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

// dependency is a version that Renovate found in a file.
type dependency struct {
	File         string
	Manager      string
	DepName      string
	PackageName  string
	Datasource   string
	DepType      string
	CurrentValue string
	SkipReason   string
	RegistryURLs []string `json:"registryUrls"`
	Warnings     []struct{ Message string }
	Updates      []update
}

// update is a version that Renovate proposes for one.
type update struct {
	NewValue   string
	UpdateType string
	BranchName string
}

// entry is a line of Renovate's log.
type entry struct {
	Level        int
	Msg          string
	PackageFiles files
	Config       json.RawMessage
	Err          json.RawMessage
}

type files map[string][]struct {
	PackageFile string
	Deps        []dependency
}

// run runs Renovate in a fleet's folder, which changes nothing, and gives what it found. Renovate ends with 0 whatever happens, so its log
// says whether all went well.
func (r renovate) run(ctx context.Context, fleet, mode, log string, env ...string) ([]dependency, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.CommandContext(ctx, filepath.Join(r.bin, "renovate"), "--platform=local", "--dry-run="+mode)
	cmd.Dir, cmd.Stdout, cmd.Stderr = fleet, out, out
	cmd.Env = r.env(append(env, "LOG_LEVEL=debug", "LOG_FORMAT=json", "RENOVATE_CACHE_DIR="+log+".cache")...)
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("renovate --dry-run=%s: %w; its log is %s", mode, err, log)
	}
	return read(log)
}

// read gives what a log says was found.
func read(log string) ([]dependency, error) {
	var found files
	err := entries(log, func(e entry) error {
		switch e.Msg {
		case "Extracted dependencies":
			found = e.PackageFiles
		case "packageFiles with updates":
			return json.Unmarshal(e.Config, &found)
		}
		return nil
	})
	if err == nil && found == nil {
		err = fmt.Errorf("%s says nothing of what was found", log)
	}
	var all []dependency
	for manager, list := range found {
		for _, file := range list {
			for _, d := range file.Deps {
				d.File, d.Manager = file.PackageFile, manager
				all = append(all, d)
			}
		}
	}
	return all, err
}

// entries goes through a log; its error has every warning in it that is Renovate's.
func entries(log string, each func(entry) error) error {
	f, err := os.Open(log)
	if err != nil {
		return err
	}
	defer f.Close()
	var errs []error
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue // what is not JSON is npm's or node's
		}
		const warning = 40
		if e.Level >= warning && !harmless(e.Msg) {
			errs = append(errs, fmt.Errorf("renovate says: %s %s", e.Msg, e.Err))
		}
		errs = append(errs, each(e))
	}
	return errors.Join(append(errs, lines.Err())...)
}

// harmless are warnings that belong to the check, which has no token for github.com and asks a mock on this machine, and the one that says
// of registries what is known.
func harmless(msg string) bool {
	return strings.HasPrefix(msg, "GitHub token is required") || strings.Contains(msg, "internalHostAccess") ||
		strings.Contains(msg, "minimumReleaseAgeBehaviour=timestamp-optional")
}
