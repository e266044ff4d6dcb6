package lifecycle

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// command is what a hint may begin with instead of a capital letter.
var command = regexp.MustCompile(`^(kiban|kubectl|git|k0s)( |$)`)

// TestHintsBeginWithACapitalOrACommand reads every hint of the product's source whose beginning is written there: in Try, in a Diagnostic's
// Hint, and in what is given to a function's parameter of the name hint.
func TestHintsBeginWithACapitalOrACommand(t *testing.T) {
	byFolder, read := map[string][]*ast.File{}, token.NewFileSet()
	for _, root := range []string{".", "../cmd"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(read, path, nil, 0)
			byFolder[filepath.Dir(path)] = append(byFolder[filepath.Dir(path)], f)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	for _, files := range byFolder {
		takes := hintParameters(files)
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				for _, e := range hintsIn(n, takes) {
					hint, ok := beginning(e)
					if !ok || hint == "" {
						continue
					}
					seen++
					if r, _ := utf8.DecodeRuneInString(hint); unicode.IsLower(r) && !command.MatchString(hint) {
						t.Errorf("%s: the hint begins with neither a capital letter nor a command: %q", read.Position(e.Pos()), hint)
					}
				}
				return true
			})
		}
	}
	if seen < 200 {
		t.Errorf("only %d hints were found", seen)
	}
}

// hintParameters are the functions of a package that take a hint, and which argument it is.
func hintParameters(files []*ast.File) map[string]int {
	takes := map[string]int{"Try": 0}
	for _, f := range files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			i := 0
			for _, field := range fn.Type.Params.List {
				for _, name := range field.Names {
					if name.Name == "hint" {
						takes[fn.Name.Name] = i
					}
					i++
				}
			}
		}
	}
	return takes
}

// hintsIn are the hints that a node gives.
func hintsIn(n ast.Node, takes map[string]int) []ast.Expr {
	switch n := n.(type) {
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Hint" {
			return []ast.Expr{n.Value}
		}
	case *ast.AssignStmt:
		var out []ast.Expr
		for i, left := range n.Lhs {
			if s, ok := left.(*ast.SelectorExpr); ok && s.Sel.Name == "Hint" && len(n.Lhs) == len(n.Rhs) {
				out = append(out, n.Rhs[i])
			}
		}
		return out
	case *ast.CallExpr:
		name := ""
		switch fun := n.Fun.(type) {
		case *ast.Ident:
			name = fun.Name
		case *ast.SelectorExpr:
			name = fun.Sel.Name
		}
		if i, ok := takes[name]; ok && i < len(n.Args) {
			return []ast.Expr{n.Args[i]}
		}
	}
	return nil
}

// beginning is the literal that a text begins with.
func beginning(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil
	case *ast.BinaryExpr:
		return beginning(e.X)
	case *ast.CallExpr:
		if s, ok := e.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Sprintf" {
			return beginning(e.Args[0])
		}
	}
	return "", false
}

// aPage is a page of the documentation, with what stands before it.
var aPage = regexp.MustCompile(`(kiban explain )?[dD]ocs/([a-z0-9-]+\.md)`)

// TestPagesAreNamedAsTheyCanBeRead: what kiban prints names a page by the command that shows it, for whoever installed a binary has no
// folder docs/. It reads every text of the product's source, and what is built into it.
func TestPagesAreNamedAsTheyCanBeRead(t *testing.T) {
	seen := 0
	judge := func(where, text string) {
		for _, m := range aPage.FindAllStringSubmatch(text, -1) {
			seen++
			if m[1] == "" {
				t.Errorf("%s names %s; say it as `kiban explain docs/%s`", where, m[0], m[2])
			}
			if _, err := os.Stat(filepath.Join("..", "docs", m[2])); err != nil {
				t.Errorf("%s names a page that is not there: %v", where, err)
			}
		}
	}
	for _, root := range []string{".", "../cmd"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.Name() == "testdata":
				return fs.SkipDir
			}
			switch filepath.Ext(path) {
			case ".go":
				if !strings.HasSuffix(path, "_test.go") {
					return literals(path, func(where, text string) { judge(where, text) })
				}
			case ".txt", ".json", ".tmpl", ".md", ".yml", ".yaml", ".sh":
				b, err := os.ReadFile(path)
				judge(path, string(b))
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 10 {
		t.Errorf("only %d pages were found to be named", seen)
	}
}

// literals gives the texts that stand in a file of Go, those that are put together of literals as one.
func literals(path string, see func(where, text string)) error {
	read := token.NewFileSet()
	f, err := parser.ParseFile(read, path, nil, 0)
	if err != nil {
		return err
	}
	ast.Inspect(f, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		text, whole := joined(e)
		if whole {
			see(read.Position(e.Pos()).String(), text)
		}
		return !whole
	})
	return nil
}

// joined is the text of literals that are added up.
func joined(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		x, left := joined(e.X)
		y, right := joined(e.Y)
		return x + y, left && right && e.Op == token.ADD
	}
	return "", false
}
