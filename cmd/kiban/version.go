package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

type versionOptions struct {
	app    *app
	output output
}

func newVersion(a *app, runF func(context.Context, *versionOptions) error) *cobra.Command {
	opts := &versionOptions{app: a}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of kiban and of what it is built on",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return versionRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	return cmd
}

// build is what the binary knows of its own making.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Dirty    bool   `json:"dirty,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	K0sctl   string `json:"k0sctl,omitempty"`
	// Dependencies are the modules that are in the binary, sorted by path.
	Dependencies []dependency `json:"dependencies,omitempty"`
}

// dependency is a module as it was built: where another took its place, that one's path and version.
type dependency struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	// Sum is its checksum in the form of go.sum, which Go's checksum database has as well.
	Sum string `json:"sum,omitempty"`
	// Replaces is the path that the sources name, where another module took its place.
	Replaces string `json:"replaces,omitempty"`
}

// buildInfo reads what the Go toolchain has put into the binary, so that nothing has to be stamped at build time.
func buildInfo() build {
	b := build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
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

func builtFrom(m *debug.Module) dependency {
	if r := m.Replace; r != nil {
		return dependency{Path: r.Path, Version: r.Version, Sum: r.Sum, Replaces: m.Path}
	}
	return dependency{Path: m.Path, Version: m.Version, Sum: m.Sum}
}

func versionRun(_ context.Context, opts *versionOptions) error {
	b := buildInfo()
	if opts.output.data() {
		return writeReport(opts.app.Out, opts.output.form, b)
	}
	line := "kiban " + b.Version
	if b.Revision != "" {
		line += " (" + b.Revision[:min(10, len(b.Revision))] + ")"
	}
	_, err := fmt.Fprintf(opts.app.Out, "%s, k0sctl %s, %s %s\n", line, b.K0sctl, b.Go, b.Platform)
	return err
}
