package supply

import (
	"runtime"
	"runtime/debug"
)

// Build is what a binary knows of its own making.
type Build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Dirty    bool   `json:"dirty,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	K0sctl   string `json:"k0sctl,omitempty"`
	// Dependencies are the modules that are in the binary, sorted by path.
	Dependencies []Dependency `json:"dependencies,omitempty"`
}

// Dependency is a module as it was built: where another took its place, that one's path and version.
type Dependency struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	// Sum is its checksum in the form of go.sum, which Go's checksum database has as well.
	Sum string `json:"sum,omitempty"`
	// Replaces is the path that the sources name, where another module took its place.
	Replaces string `json:"replaces,omitempty"`
}

// Built reads what the Go toolchain has put into the binary that runs, so that nothing has to be stamped at build time.
func Built() Build {
	b := Build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Dirty = s.Value == "true"
		}
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/k0sproject/k0sctl" {
			b.K0sctl = m.Version
		}
		b.Dependencies = append(b.Dependencies, builtFrom(m))
	}
	return b
}

func builtFrom(m *debug.Module) Dependency {
	if r := m.Replace; r != nil {
		return Dependency{Path: r.Path, Version: r.Version, Sum: r.Sum, Replaces: m.Path}
	}
	return Dependency{Path: m.Path, Version: m.Version, Sum: m.Sum}
}
