// Package hazards holds that the table of docs/hazards.md and the tests that it names are of one mind.
package hazards

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// hazards is how many there are: H1 to this one. docs/hazards.md says what each is.
const hazards = 41

var hazardTest = regexp.MustCompile(`^TestHazard_(H[1-9][0-9]*)_([A-Z]\w+)$`)

// hazardTests finds the tests of each hazard, as "package.Name": TestHazard_H4_NotReady of package plan is "plan.NotReady".
func hazardTests(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, top := range []string{"lifecycle", "cmd", "lab"} {
		err := filepath.WalkDir(filepath.Join("..", "..", top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			for _, decl := range parsed.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "TestHazard") {
					continue
				}
				m := hazardTest.FindStringSubmatch(f.Name.Name)
				if m == nil {
					t.Errorf("%s: %s; the form is TestHazard_H4_WhatIsHeld", path, f.Name.Name)
					continue
				}
				found[m[1]] = append(found[m[1]], filepath.Base(filepath.Dir(path))+"."+m[2])
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tests := range found {
		slices.Sort(tests)
	}
	return found
}

// hazardRow is a line of the table: hazard, what k0sctl does, what kiban does, tests.
func hazardRow(line string) []string {
	cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

// TestHazardsAreGuarded: every hazard has a test, and its row in docs/hazards.md names all its tests and no others. UPDATE_HAZARDS=1 puts
// the tests into the rows.
func TestHazardsAreGuarded(t *testing.T) {
	const file = "../../docs/hazards.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tests := hazardTests(t)
	rows := map[string]bool{}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "| H") || strings.HasPrefix(line, "| Hazard") {
			continue
		}
		cells := hazardRow(line)
		if len(cells) != 4 || slices.Contains(cells[:3], "") {
			t.Errorf("%s:%d: want four cells, got %q", file, i+1, cells)
			continue
		}
		name, _, _ := strings.Cut(cells[0], " ")
		if n, err := strconv.Atoi(name[1:]); err != nil || n < 1 || n > hazards || rows[name] {
			t.Errorf("%s:%d: %s is no hazard, or stands there twice", file, i+1, name)
		}
		rows[name] = true
		if want := "`" + strings.Join(tests[name], "` `") + "`"; cells[3] != want {
			if os.Getenv("UPDATE_HAZARDS") == "" {
				t.Errorf("%s:%d: the tests of %s are %s, the table says %s; UPDATE_HAZARDS=1 go test -run TestHazardsAreGuarded ./scripts/hazards "+
					"corrects it", file, i+1, name, want, cells[3])
			}
			cells[3] = want
			lines[i] = "| " + strings.Join(cells, " | ") + " |"
		}
	}
	for n := range hazards {
		name := fmt.Sprintf("H%d", n+1)
		if len(tests[name]) == 0 {
			t.Errorf("no test holds the guard against %s", name)
		}
		if !rows[name] {
			t.Errorf("%s has no row for %s", file, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		if !rows[name] {
			t.Errorf("%v are tests of %s, which %s does not know", tests[name], name, file)
		}
	}
	if os.Getenv("UPDATE_HAZARDS") != "" {
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
