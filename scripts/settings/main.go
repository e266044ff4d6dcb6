// Command settings writes what each minor of Kubernetes knows of flags, feature gates, admission plugins and controllers, from the sources
// of its Go modules. Nothing is compiled: the names stand in literals, which are parsed.
//
//	go run ./scripts/settings         # fetches what is not in Go's module cache, and writes lifecycle/readiness/data/settings.json
//
// A test beside it holds the file against the modules that are in the cache, and the lab holds the row of its own minor against what the
// programs of that minor register when they run.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// target is what this command writes, from the root of the repository.
const target = "lifecycle/readiness/data/settings.json"

// versions are the releases that are read, one a minor, the oldest first. The last may be one that is not out yet.
func versions() []string {
	return []string{"1.30.14", "1.31.14", "1.32.13", "1.33.13", "1.34.4", "1.35.4", "1.36.3", "1.37.2", "1.38.0-beta.0"}
}

// modules are what is read of each: Kubernetes itself, and those of its parts that are modules of their own.
func modules(version string) []string {
	staging := strings.Replace(version, "1.", "0.", 1)
	out := []string{"k8s.io/kubernetes@v" + version}
	for _, m := range []string{"apiserver", "apiextensions-apiserver", "client-go", "cloud-provider", "component-base", "controller-manager"} {
		out = append(out, "k8s.io/"+m+"@v"+staging)
	}
	return out
}

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "settings:", err)
		os.Exit(1)
	}
}

func write() error {
	var found []found
	for _, v := range versions() {
		fmt.Fprintln(os.Stderr, "reading Kubernetes", v)
		one, err := fetch(v, nil)
		if err != nil {
			return err
		}
		found = append(found, one)
	}
	text, err := compose(found)
	if err != nil {
		return err
	}
	return os.WriteFile(target, text, 0o644)
}

// found is where the modules of a version are.
type found struct {
	version, sum string
	dirs         map[string]string
}

// fetch finds the modules of a version in Go's module cache and downloads what is not there, as far as env lets it.
func fetch(version string, env []string) (found, error) {
	out := found{version: version, dirs: map[string]string{}}
	away, err := os.MkdirTemp("", "settings") // a folder of no module, so that nothing here says which versions are taken
	if err != nil {
		return found{}, err
	}
	defer os.RemoveAll(away)
	cmd := exec.Command("go", append([]string{"mod", "download", "-json"}, modules(version)...)...)
	cmd.Dir, cmd.Env = away, append(os.Environ(), append([]string{"GO111MODULE=on", "GOFLAGS=-mod=mod", "GOWORK=off"}, env...)...)
	b, failed := cmd.Output()
	for dec := json.NewDecoder(bytes.NewReader(b)); ; {
		var m struct{ Path, Version, Dir, Sum, Error, Zip string }
		if err := dec.Decode(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return found{}, fmt.Errorf("what go mod download said of %s: %w", version, err)
		}
		if m.Dir == "" && m.Zip != "" {
			// A release for a later Go than this one is downloaded and checked all the same, and said to be an error.
			cache, _, _ := strings.Cut(filepath.ToSlash(m.Zip), "/cache/download/")
			if dir := filepath.Join(cache, m.Path+"@"+m.Version); isFolder(dir) {
				m.Dir, m.Error, failed = dir, "", nil
			}
		}
		if m.Error != "" {
			return found{}, errors.New(m.Error)
		}
		out.dirs[m.Path] = m.Dir
		if m.Path == "k8s.io/kubernetes" {
			out.sum = m.Sum
		}
	}
	if failed != nil {
		return found{}, fmt.Errorf("go mod download %s: %w", version, failed)
	}
	return out, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// compose reads the sources and gives the file's text.
func compose(all []found) ([]byte, error) {
	var facts []minorFacts
	var from []module
	for _, f := range all {
		one, err := read(f)
		if err != nil {
			return nil, err
		}
		facts = append(facts, one)
		from = append(from, module{Minor: one.minor, Version: "v" + f.version, Sum: f.sum})
	}
	out := merge(facts)
	out.Source = "Go modules k8s.io/kubernetes and its parts (Apache-2.0), read by scripts/settings"
	out.Modules = from
	return out.text()
}

// read is what the sources of one version say.
func read(f found) (minorFacts, error) {
	parts := strings.SplitN(f.version, ".", 3)
	s := &source{minor: parts[0] + "." + parts[1], dirs: f.dirs, pkgs: map[string]*pkg{}}
	out := minorFacts{minor: s.minor, flags: map[string]map[string]flag{}}
	var odd, more []string
	out.gates, odd = s.gates()
	out.plugins, more = s.plugins()
	odd = append(odd, more...)
	out.controllers = s.controllers()
	for program := range where() {
		out.flags[program], more = s.flags(program)
		odd = append(odd, more...)
	}
	if len(odd) > 0 {
		return minorFacts{}, fmt.Errorf("Kubernetes %s is written in a way that this command does not read: %s", f.version,
			strings.Join(odd, "; "))
	}
	return out, nil
}
