package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// module is one release of a module of Kubernetes.
type module struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	// Sum is the module's checksum, as go.sum has it.
	Sum string `json:"sum"`
	dir string
}

// minor is the Kubernetes release that the module belongs to: v0.37.2 is of 1.37.
func (m module) minor() string {
	parts := strings.Split(m.Version, ".")
	return "1." + parts[1]
}

// former are older releases of k8s.io/api, one of each minor, the newest first: types are deleted a few releases after they are no longer
// served. They are read as text, are compiled into nothing, and are no requirement of kiban.
func former() []string {
	return []string{"v0.36.6", "v0.35.10", "v0.34.13", "v0.33.13", "v0.32.13", "v0.31.14", "v0.30.14", "v0.29.15", "v0.28.3", "v0.27.4",
		"v0.26.9", "v0.25.9", "v0.24.3", "v0.23.16", "v0.22.5", "v0.21.1", "v0.20.6"}
}

// sources are the modules to be read, the newest release first. The newest is the one that go.mod requires: it moves with the dependency.
func sources(root string) ([]module, error) {
	b, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	m := regexp.MustCompile(`(?m)^\tk8s\.io/api (v\S+)$`).FindSubmatch(b)
	if m == nil {
		return nil, errors.New("go.mod does not require k8s.io/api")
	}
	now := string(m[1])
	out := []module{{Path: "k8s.io/api", Version: now}, {Path: "k8s.io/apiextensions-apiserver", Version: now},
		{Path: "k8s.io/kube-aggregator", Version: now}}
	for _, v := range former() {
		if older := (module{Path: "k8s.io/api", Version: v}); older.minor() != out[0].minor() {
			out = append(out, older)
		}
	}
	return out, nil
}

// fetch finds where the module cache has the modules, and fetches those that it lacks. What is fetched is held to the public checksum
// database by the go command.
func fetch(root string, modules []module, offline bool) error {
	args := []string{"mod", "download", "-json"}
	for _, m := range modules {
		args = append(args, m.Path+"@"+m.Version)
	}
	cmd := exec.Command("go", args...)
	// Outside of the repository: what go.mod replaces or requires is not to matter.
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if offline {
		cmd.Env = append(cmd.Env, "GOPROXY=off")
	}
	stdout, err := cmd.Output()
	found := map[string]struct{ Dir, Sum, Error string }{}
	dec := json.NewDecoder(strings.NewReader(string(stdout)))
	for dec.More() {
		var one struct{ Path, Version, Dir, Sum, Error string }
		if err := dec.Decode(&one); err != nil {
			return fmt.Errorf("go mod download: %w", err)
		}
		found[one.Path+"@"+one.Version] = struct{ Dir, Sum, Error string }{one.Dir, one.Sum, one.Error}
	}
	for i := range modules {
		m := &modules[i]
		got := found[m.Path+"@"+m.Version]
		if got.Dir == "" {
			return fmt.Errorf("%s %s: %w", m.Path, m.Version, errors.Join(errMissing, errors.New(got.Error), err))
		}
		m.dir, m.Sum = got.Dir, got.Sum
	}
	return nil
}

// errMissing is the error of a module that neither the module cache nor the proxy gives.
var errMissing = errors.New("the module is not there")
