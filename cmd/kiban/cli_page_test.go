package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle/render"
)

const cliIntro = `# The command line

Every verb as its help tells of it; ` + "`make generate`" + ` writes this page. ` + "`make man`" + ` writes manual pages from the same words into bin/man.
`

// allManuals are those of the command line as it is.
func allManuals() []render.Manual {
	a := &app{Streams: Streams{Getenv: func(string) string { return "" }}}
	return manuals(newRoot(a))
}

// TestCLIPage holds docs/cli.md to the commands. UPDATE_CLI=1 writes it anew.
func TestCLIPage(t *testing.T) {
	var b strings.Builder
	if err := render.ManualPage(&b, cliIntro, allManuals()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("..", "..", "docs", "cli.md")
	if os.Getenv("UPDATE_CLI") != "" {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != b.String() {
		t.Errorf("docs/cli.md is not what the commands say (%v): make generate", err)
	}
}

// TestManPages makes a manual page of each verb; MAN_DIR names a folder that keeps them.
func TestManPages(t *testing.T) {
	dir := os.Getenv("MAN_DIR")
	if dir == "" {
		dir = t.TempDir()
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range allManuals() {
		var b strings.Builder
		if err := render.ManPage(&b, m); err != nil {
			t.Fatal(err)
		}
		name := strings.ReplaceAll(m.Name, " ", "-") + ".1"
		if seen[name] || !strings.HasPrefix(b.String(), ".TH KIBAN") {
			t.Errorf("%s: %.40q", name, b.String())
		}
		seen[name] = true
		if err := os.WriteFile(filepath.Join(dir, name), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) < 40 {
		t.Errorf("there are %d pages only", len(seen))
	}
}

// TestEveryVerbHasAnExample: help begins with how a verb is called.
func TestEveryVerbHasAnExample(t *testing.T) {
	for _, m := range allManuals() {
		if len(m.Verbs) == 0 && len(m.Examples) == 0 && m.Name != "kiban version" {
			t.Errorf("%s has no example", m.Name)
		}
	}
}

// manuals are those of a command and of every verb below it, in the order of help.
func manuals(cmd *cobra.Command) []render.Manual {
	out := []render.Manual{manual(cmd)}
	byGroup := slices.Clone(cmd.Commands())
	at := func(c *cobra.Command) int {
		return slices.IndexFunc(cmd.Groups(), func(g *cobra.Group) bool { return g.ID == c.GroupID })
	}
	slices.SortStableFunc(byGroup, func(a, b *cobra.Command) int { return at(a) - at(b) })
	for _, c := range byGroup {
		if c.IsAvailableCommand() {
			out = append(out, manuals(c)...)
		}
	}
	return out
}
