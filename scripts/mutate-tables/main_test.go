package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What is tried on a small table: each row taken out, each property changed.
func TestChanges(t *testing.T) {
	dir := t.TempDir()
	const table = `package lifecycle

type row struct {
	kind      Kind
	fast, red bool
	n         int
	words     string
}

func actionRows() []row {
	return []row{{kind: A, fast: true, words: "a"}, {kind: B, n: +1}}
}

type Kind int

const (
	A Kind = iota
	B
)

type Tone string

const X Tone = "x"
`
	for _, name := range []string{"action_table.go", "gate_table.go"} {
		text := strings.ReplaceAll(table, "actionRows", tables()[name])
		if name == "gate_table.go" { // another type, and a property with constants
			text = "package lifecycle\n\ntype gate struct {\n\tname string\n\tkind Kind\n}\n\nfunc gateRows() []gate {\n" +
				"\treturn []gate{{name: \"g\", kind: B}}\n}\n"
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := t.TempDir()
	got, _, err := instrument(dir, out)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"action/A", "action/A/fast=false", "action/A/red=true", "action/A/n=7", `action/A/words=""`,
		`action/A/words="something else"`,
		"action/B", "action/B/fast=true", "action/B/red=true", "action/B/n=0", `action/B/words="something"`,
		`gate/"g"`, `gate/"g"/kind=A`}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	text, err := os.ReadFile(filepath.Join(out, "zz_mutants.go"))
	if err != nil || !strings.Contains(string(text), "rows[1].n = 0") || !strings.Contains(string(text), "slices.Delete(rows, 0, 1)") {
		t.Errorf("%s (%v)", text, err)
	}
}
