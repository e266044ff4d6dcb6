package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unicode"
)

// manyModules is how many must be missing for fetching them to be worth a word. Fewer are fetched by go build, which names each.
const manyModules = 50

// fetch gets the modules that all targets need, when many are missing. What can't be had, go build asks for again, and says so.
func (b *builder) fetch() error {
	missing, err := b.missingModules()
	if err != nil || len(missing) < manyModules {
		return err
	}
	b.tell.fetching(len(missing))
	end := make(chan struct{})
	go func() {
		defer close(end)
		for _, t := range b.targets {
			_ = b.command(t.dir, "mod", "download").Run()
		}
	}()
	for {
		select {
		case <-end:
			b.tell.fetched(len(missing)-len(absent(missing)), len(missing))
			b.tell.end()
			return b.ctx.Err()
		case <-time.After(500 * time.Millisecond):
			b.tell.fetched(len(missing)-len(absent(missing)), len(missing))
		}
	}
}

// missingModules are the folders that the module cache lacks of those that the targets' go.mod files name.
func (b *builder) missingModules() ([]string, error) {
	cache, err := exec.CommandContext(b.ctx, "go", "env", "GOMODCACHE").Output()
	if err != nil {
		return nil, err
	}
	var folders []string
	seen := map[string]bool{}
	for _, t := range b.targets {
		file, err := b.command(t.dir, "mod", "edit", "-json").Output()
		if err != nil {
			return nil, err
		}
		names, err := moduleFolders(file)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if !seen[name] {
				seen[name] = true
				folders = append(folders, filepath.Join(strings.TrimSpace(string(cache)), filepath.FromSlash(name)))
			}
		}
	}
	return absent(folders), nil
}

// moduleFolders are the places in the module cache of what a go.mod, as `go mod edit -json` prints it, requires.
func moduleFolders(file []byte) ([]string, error) {
	type module struct{ Path, Version string }
	var mod struct {
		Require []module
		Replace []struct{ Old, New module }
	}
	if err := json.Unmarshal(file, &mod); err != nil {
		return nil, err
	}
	instead := map[string]module{}
	for _, r := range mod.Replace {
		instead[r.Old.Path] = r.New
	}
	var folders []string
	for _, m := range mod.Require {
		if other, ok := instead[m.Path]; ok {
			m = other
		}
		if m.Version == "" { // a folder
			continue
		}
		folders = append(folders, lowered(m.Path)+"@"+lowered(m.Version))
	}
	return folders, nil
}

// lowered is how the module cache writes capitals, for file systems that know none: github.com/BurntSushi is github.com/!burnt!sushi.
func lowered(name string) string {
	var out strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			out.WriteByte('!')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}

func absent(folders []string) []string {
	var list []string
	for _, folder := range folders {
		if _, err := os.Stat(folder); err != nil {
			list = append(list, folder)
		}
	}
	return list
}
