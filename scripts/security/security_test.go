// Package security holds that every test that docs/security.md names is there: a trust boundary without one is a wish.
package security

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// named is a test in a table: `package.TestName`.
var named = regexp.MustCompile("`([a-z0-9]+\\.(?:Test|Fuzz)\\w+)`")

// tests are the tests and fuzz targets of the repository, as "package.TestName", by the folder that the package is in.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, top := range []string{"lifecycle", "cmd", "lab", "scripts"} {
		err := filepath.WalkDir(filepath.Join("..", "..", top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			for _, decl := range parsed.Decls {
				if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
					found[filepath.Base(filepath.Dir(path))+"."+f.Name.Name] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// TestBoundariesAreHeld: every row of the tables names a test at least, and all that are named exist.
func TestBoundariesAreHeld(t *testing.T) {
	const file = "../../docs/security.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	there, rows, inTable := tests(t), 0, false
	for i, line := range strings.Split(string(text), "\n") {
		names := named.FindAllStringSubmatch(line, -1)
		for _, name := range names {
			if !there[name[1]] {
				t.Errorf("%s:%d: there is no test %s", file, i+1, name[1])
			}
		}
		table := strings.HasPrefix(line, "|")
		if table && !inTable && !strings.HasPrefix(line, "| who ") {
			t.Errorf("%s:%d: this row is in no table", file, i+1)
		}
		inTable = table
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| who ") {
			continue
		}
		rows++
		if len(names) == 0 {
			t.Errorf("%s:%d: no test holds this row", file, i+1)
		}
		if cells := strings.Split(strings.Trim(line, "| "), " | "); len(cells) != 5 {
			t.Errorf("%s:%d: want five cells, got %d", file, i+1, len(cells))
		}
	}
	if rows == 0 {
		t.Errorf("%s has no rows", file)
	}
}
