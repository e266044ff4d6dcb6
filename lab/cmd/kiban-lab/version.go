package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lab/applet"
	"kiban.dev/kiban/lab/machine"
)

// build is what the binary knows of its own making, with the names that `kiban version -o json` gives the same things. A lab and a kiban
// agree when both have the same version, or both the same revision.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Dirty    bool   `json:"dirty,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	// Kubernetes is the minor that is linked in, Minors those that it can pose as, Releases the k0s releases of a mirror that names none.
	Kubernetes string   `json:"kubernetes"`
	Minors     []string `json:"minors"`
	Releases   []string `json:"releases"`
	// Faults are the kinds of what can go wrong.
	Faults []string `json:"faults"`
}

// buildInfo reads what the Go toolchain has put into the binary, so that nothing has to be stamped at build time.
func buildInfo() (build, error) {
	b := build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Releases: machine.Versions()}
	for _, k := range machine.FaultKinds() {
		b.Faults = append(b.Faults, k.Name)
	}
	var err error
	if b.Minors, err = applet.Minors(); err != nil {
		return b, err
	}
	b.Kubernetes = b.Minors[len(b.Minors)-1]
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b, nil
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
	return b, nil
}

func versionCommand() *cobra.Command {
	var output string
	c := &cobra.Command{Use: "version", Short: "Print the lab's version, and which Kubernetes it can play", Args: cobra.NoArgs}
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	c.RunE = func(c *cobra.Command, _ []string) error {
		b, err := buildInfo()
		if err != nil {
			return err
		}
		if output == "json" {
			enc := json.NewEncoder(c.OutOrStdout())
			enc.SetIndent("", "  ")
			return enc.Encode(b)
		}
		line := "kiban-lab " + b.Version
		if b.Revision != "" {
			line += " (" + b.Revision[:min(10, len(b.Revision))] + ")"
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "%s, Kubernetes %s to %s, %s %s\n", line, b.Minors[0], b.Kubernetes, b.Go, b.Platform)
		return err
	}
	return c
}
