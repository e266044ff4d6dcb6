package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// modules are the folders of the repository's modules, from its root.
func modules() []string { return []string{".", "lab"} }

// suite is the end of the import path of what needs built binaries and half an hour.
const suite = "/e2e"

// module is a Go module of the repository.
type module struct {
	dir      string
	packages []pkg
}

// pkg is a package as far as it matters here. Paths are from the root of the repository, with slashes.
type pkg struct {
	path, dir string
	// imports are those of the package itself, testImports those of its tests.
	imports, testImports []string
	// reads are the files and folders outside of the package that its code or its tests read; "." is the whole repository.
	reads []string
}

// selection says what is to be looked at in a module: import paths, sorted.
type selection struct {
	// changed are the packages with changed files.
	changed []string
	// rebuilt are those, and all that are compiled with them, their tests counted in: what vet could find something in.
	rebuilt []string
	// affected are those, and all whose tests could come out otherwise, because they read what changed.
	affected []string
}

// tested are the packages whose tests are to be run: the end-to-end suite is not among them.
func (s selection) tested() []string {
	return slices.DeleteFunc(slices.Clone(s.affected), func(p string) bool { return strings.HasSuffix(p, suite) })
}

func (m module) name() string {
	if m.dir == "." {
		return "kiban"
	}
	return m.dir
}

// changedDirs are the folders of the changed packages that are still there, from the module's own folder.
func (s selected) changedDirs() []string {
	var dirs []string
	for _, p := range s.packages {
		if slices.Contains(s.changed, p.path) {
			rel := strings.TrimPrefix(strings.TrimPrefix(p.dir, s.dir), "/")
			dirs = append(dirs, "./"+rel)
		}
	}
	return dirs
}

// pick says which packages of the module are to be tested for changed files.
func (m module) pick(files []string) selection {
	if slices.Contains(files, path.Join(m.dir, "go.mod")) || slices.Contains(files, path.Join(m.dir, "go.sum")) {
		all := m.only(func(pkg) bool { return true })
		return selection{rebuilt: all, affected: all}
	}
	changed, stale := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		if p, ok := m.owner(file); ok {
			changed[p] = true
		}
		for _, p := range m.packages {
			if slices.ContainsFunc(p.reads, func(prefix string) bool { return within(file, prefix) }) {
				stale[p.path] = true
			}
		}
	}
	importers := m.importers(changed)
	rebuilt := func(p pkg) bool {
		return importers[p.path] || slices.ContainsFunc(p.testImports, func(i string) bool { return importers[i] })
	}
	return selection{
		changed:  m.only(func(p pkg) bool { return changed[p.path] }),
		rebuilt:  m.only(rebuilt),
		affected: m.only(func(p pkg) bool { return rebuilt(p) || stale[p.path] }),
	}
}

// owner is the package whose folder a file lies in, or below: testdata and embedded files count as its own.
func (m module) owner(file string) (importPath string, ok bool) {
	for dir := path.Dir(file); dir != "." && dir != m.dir; dir = path.Dir(dir) {
		for _, p := range m.packages {
			if p.dir == dir {
				return p.path, true
			}
		}
	}
	return "", false
}

// importers are the packages that import any of these, directly or through others, and these.
func (m module) importers(of map[string]bool) map[string]bool {
	all := map[string]bool{}
	for p := range of {
		all[p] = true
	}
	for before := -1; before != len(all); {
		before = len(all)
		for _, p := range m.packages {
			if slices.ContainsFunc(p.imports, func(i string) bool { return all[i] }) {
				all[p.path] = true
			}
		}
	}
	return all
}

func (m module) only(is func(pkg) bool) []string {
	var list []string
	for _, p := range m.packages {
		if is(p) {
			list = append(list, p.path)
		}
	}
	slices.Sort(list)
	return list
}

// within reports whether a file is prefix, or lies in it.
func within(file, prefix string) bool {
	return prefix == "." || file == prefix || strings.HasPrefix(file, prefix+"/")
}

// load asks go for the packages of the module in a folder of the repository.
func load(ctx context.Context, root, dir string) (module, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-json=ImportPath,Dir,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = filepath.Join(root, dir)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return module{}, fmt.Errorf("go list in %s: %s", dir, exit.Stderr)
	}
	if err != nil {
		return module{}, err
	}
	m := module{dir: dir}
	for list := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath, Dir                    string
			Imports, TestImports, XTestImports []string
		}
		if err := list.Decode(&p); errors.Is(err, io.EOF) {
			return m, nil
		} else if err != nil {
			return module{}, err
		}
		rel, err := filepath.Rel(root, p.Dir)
		if err != nil {
			return module{}, err
		}
		reads, err := packageReads(root, filepath.ToSlash(rel))
		if err != nil {
			return module{}, err
		}
		m.packages = append(m.packages, pkg{
			path: p.ImportPath, dir: filepath.ToSlash(rel), imports: p.Imports, testImports: append(p.TestImports, p.XTestImports...), reads: reads,
		})
	}
}
