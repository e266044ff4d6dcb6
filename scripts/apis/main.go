// Command apis writes lifecycle/readiness/data/apis.json: which kind of which group and version Kubernetes deprecates and no
// longer serves, from which release on, and what takes its place. It reads the source of Kubernetes' own modules, where the methods
// APILifecycleIntroduced, APILifecycleDeprecated, APILifecycleRemoved and APILifecycleReplacement of each type say it, which API servers go
// by, too. Types that have been deleted meanwhile are read from older releases of the modules.
//
//	go run ./scripts/apis          # fetches what the module cache lacks, and writes the file
//
// A test beside it fails when the file is not current.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// target is what this command writes, from the root of the repository.
const target = "lifecycle/readiness/data/apis.json"

// file is the form of the target. Its form is read by lifecycle/readiness.
type file struct {
	// Source says in words where it comes from, Modules name exactly what was read, the newest first.
	Source  string   `json:"source"`
	Modules []module `json:"modules"`
	// Minors are the first and the last minor release whose source was read.
	Minors [2]string `json:"minors"`
	APIs   []api     `json:"apis"`
}

// api is the life of one kind in one version of its group.
type api struct {
	Group    string `json:"group,omitempty"`
	Version  string `json:"version"`
	Kind     string `json:"kind"`
	Resource string `json:"resource"`
	// Introduced, Deprecated and Removed are minor releases: "1.25". Removed is the first that does not serve it.
	Introduced string `json:"introduced,omitempty"`
	Deprecated string `json:"deprecated,omitempty"`
	Removed    string `json:"removed,omitempty"`
	// Replacement is its successor: "apps/v1 Deployment". Found says that the type names none itself, and that it is the same kind in the
	// newest version of the same group.
	Replacement string `json:"replacement,omitempty"`
	Found       bool   `json:"found,omitempty"`
	// Begins is the first minor release that serves the successor; "" where neither this file nor the newest modules say.
	Begins string `json:"begins,omitempty"`
	// From is the newest release of its module that has the type. Deleted says that Removed is the first release whose module lacks the
	// type, which names no release of its removal, or a later one.
	From    string `json:"from"`
	Deleted bool   `json:"deleted,omitempty"`
}

func main() {
	b, err := generate(".", false)
	if err == nil {
		err = os.WriteFile(target, b, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "apis:", err)
		os.Exit(1)
	}
}

// generate makes the file's content of the modules that sources() names. Offline: what the module cache lacks is an error.
func generate(root string, offline bool) ([]byte, error) {
	modules, err := sources(root)
	if err != nil {
		return nil, err
	}
	if err := fetch(root, modules, offline); err != nil {
		return nil, err
	}
	out := file{
		Source:  "the API lifecycle methods of the types in Kubernetes' own Go modules",
		Modules: modules,
	}
	if out.APIs, err = read(modules); err != nil {
		return nil, err
	}
	out.Minors = [2]string{modules[len(modules)-1].minor(), modules[0].minor()}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteString("{\n")
	fmt.Fprintf(&b, "\"source\": %q,\n\"minors\": [%q, %q],\n\"modules\": [\n", out.Source, out.Minors[0], out.Minors[1])
	if err := lines(&b, enc, out.Modules); err != nil {
		return nil, err
	}
	b.WriteString("],\n\"apis\": [\n")
	if err := lines(&b, enc, out.APIs); err != nil {
		return nil, err
	}
	b.WriteString("]\n}\n")
	return b.Bytes(), nil
}

// lines writes a list with one element a line, so that a change of the data reads as such.
func lines[T any](b *bytes.Buffer, enc *json.Encoder, all []T) error {
	for i, one := range all {
		if err := enc.Encode(one); err != nil {
			return err
		}
		if i < len(all)-1 {
			b.Truncate(b.Len() - 1)
			b.WriteString(",\n")
		}
	}
	return nil
}

// packages are the folders of a module that may hold API types: group and version deep.
func packages(dir string) ([]string, error) {
	var out []string
	for _, pattern := range []string{"*/v*", "pkg/apis/*/v*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern, "register.go"))
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			out = append(out, filepath.Dir(f))
		}
	}
	return out, nil
}
