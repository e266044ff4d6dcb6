package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// packageReads are the files and folders of the repository outside of a package's own folder that its code names.
func packageReads(root, dir string) ([]string, error) {
	sources, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(dir), "*.go"))
	if err != nil {
		return nil, err
	}
	var reads []string
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			return nil, err
		}
		named, err := readsOf(dir, string(text))
		if err != nil {
			return nil, err
		}
		for _, name := range named {
			if exists(filepath.Join(root, filepath.FromSlash(name))) { // "../evil" of a test is no file
				reads = append(reads, name)
			}
		}
	}
	slices.Sort(reads)
	return slices.Compact(reads), nil
}

// readsOf are the paths that a source file in dir names with "../", from the root of the repository, as far as they are constants: "." for
// filepath.Join("..", "..", name) in a package two folders deep.
func readsOf(dir, source string) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var reads []string
	note := func(relative string) {
		if p := path.Join(dir, relative); strings.HasPrefix(relative, "../") && !strings.HasPrefix(p, "..") {
			reads = append(reads, p)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if joins(n) {
				note(path.Join(constants(n.Args)...) + "/")
				return false
			}
		case *ast.BasicLit:
			if s, ok := text(n); ok {
				note(s)
			}
		}
		return true
	})
	return reads, nil
}

// joins reports whether a call is filepath.Join or path.Join.
func joins(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || f.Sel.Name != "Join" {
		return false
	}
	of, ok := f.X.(*ast.Ident)
	return ok && (of.Name == "filepath" || of.Name == "path")
}

// constants are the texts that a list of expressions begins with.
func constants(list []ast.Expr) []string {
	var texts []string
	for _, e := range list {
		s, ok := text(e)
		if !ok {
			break
		}
		texts = append(texts, s)
	}
	return texts
}

func text(e ast.Expr) (string, bool) {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(literal.Value)
	return s, err == nil
}
