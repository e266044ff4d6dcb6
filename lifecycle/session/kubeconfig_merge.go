package session

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

// KeepKubeconfig puts a site's kubeconfig into a file that nobody else may read: merged with what is there, or in its place. A file that
// holds more than the site's is not replaced.
func KeepKubeconfig(file string, content []byte, site string, merge bool) error {
	there, err := os.ReadFile(file)
	found := err == nil
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if found && merge {
		content, err = MergeKubeconfig(there, content)
	}
	if merge && err != nil {
		return lifecycle.Errorf(file, "the kubeconfig can't be merged with what is there").From(err).Try("Name another file: --out FILE")
	}
	if found && !merge && !KubeconfigOf(there, site) {
		return lifecycle.Errorf(file, "the file is there already, and holds more than the kubeconfig of %s", site).
			Try("Put it beside what is there with --merge, or name another file.")
	}
	if err = os.MkdirAll(filepath.Dir(file), 0o700); err == nil {
		err = atomicfile.Write(file, content, 0o600)
	}
	if err != nil {
		return lifecycle.Errorf(file, "the kubeconfig can't be written").From(err).Try("Name a file in a folder that may be written to.")
	}
	return nil
}

// MergeKubeconfig puts what one kubeconfig has into another: a cluster, a user or a context of a name that is there takes its place, and
// everything else stays. The current context stays, too, unless there is none.
func MergeKubeconfig(into, from []byte) ([]byte, error) {
	var all, ours map[string]any
	if err := yaml.Unmarshal(into, &all); err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(from, &ours); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return from, nil
	}
	for _, list := range []string{"clusters", "contexts", "users"} {
		entries, ok := all[list].([]any)
		if !ok && all[list] != nil {
			return nil, fmt.Errorf("%s is not a list", list)
		}
		added, _ := ours[list].([]any)
		for _, entry := range added {
			entries = putNamed(entries, entry)
		}
		all[list] = entries
	}
	if current, _ := all["current-context"].(string); current == "" {
		all["current-context"] = ours["current-context"]
	}
	return yaml.Marshal(all)
}

// KubeconfigOf reports whether a file is the kubeconfig of one site and nothing else, as this package writes it, or is empty.
func KubeconfigOf(content []byte, site string) bool {
	var all struct {
		Clusters, Contexts []struct{ Name string }
		Users              []any
	}
	if len(bytes.TrimSpace(content)) == 0 {
		return true
	}
	return yaml.Unmarshal(content, &all) == nil && len(all.Contexts) == 1 && len(all.Clusters) == 1 && len(all.Users) == 1 &&
		all.Contexts[0].Name == site && all.Clusters[0].Name == site
}

// putNamed replaces the entry of the same name, or adds one.
func putNamed(entries []any, entry any) []any {
	name := func(e any) any { m, _ := e.(map[string]any); return m["name"] }
	for i, e := range entries {
		if name(e) == name(entry) {
			entries[i] = entry
			return entries
		}
	}
	return append(entries, entry)
}
