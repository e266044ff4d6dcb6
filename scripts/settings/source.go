package main

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// source is the Go source of one minor of Kubernetes, module by module. It is parsed and never compiled: building eight control planes
// takes an hour, and what is looked for stands in literals.
type source struct {
	minor string
	// dirs are the folders of the modules by path: "k8s.io/kubernetes".
	dirs map[string]string
	pkgs map[string]*pkg
}

// pkg is one parsed package.
type pkg struct {
	files []*ast.File
	// consts are the constants that are text, or the names of others, by name.
	consts map[string]ast.Expr
	// in says which file a constant stands in, whose imports its value is read with.
	in map[string]*ast.File
	// names are where the files are.
	names map[*ast.File]string
}

// pkg parses the package of an import path. It is nil where the modules have none.
func (s *source) pkg(importPath string) *pkg {
	if p, known := s.pkgs[importPath]; known {
		return p
	}
	s.pkgs[importPath] = nil
	dir := s.dir(importPath)
	names, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	if dir == "" || len(names) == 0 {
		return nil
	}
	p := &pkg{consts: map[string]ast.Expr{}, in: map[string]*ast.File{}, names: map[*ast.File]string{}}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_windows.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil || !onLinux(f) {
			continue
		}
		p.files = append(p.files, f)
		p.names[f] = filepath.ToSlash(name)
		for _, d := range f.Decls {
			p.declare(f, d)
		}
	}
	s.pkgs[importPath] = p
	return p
}

func (p *pkg) declare(f *ast.File, d ast.Decl) {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.CONST && g.Tok != token.VAR {
		return
	}
	for _, spec := range g.Specs {
		v := spec.(*ast.ValueSpec)
		for i, name := range v.Names {
			if i < len(v.Values) {
				p.consts[name.Name], p.in[name.Name] = v.Values[i], f
			}
		}
	}
}

// onLinux reports whether a file is part of a build for Linux, as releases are built.
func onLinux(f *ast.File) bool {
	for _, group := range f.Comments {
		if group.Pos() > f.Package {
			break
		}
		for _, c := range group.List {
			expr, err := constraint.Parse(c.Text)
			if err != nil {
				continue
			}
			if !expr.Eval(func(tag string) bool { return tag == "linux" || tag == "unix" || tag == "amd64" || tag == "cgo" }) {
				return false
			}
		}
	}
	return true
}

// dir is the folder of an import path, "" where it is of none of the modules.
func (s *source) dir(importPath string) string {
	best := ""
	for mod := range s.dirs {
		if (importPath == mod || strings.HasPrefix(importPath, mod+"/")) && len(mod) > len(best) {
			best = mod
		}
	}
	if best == "" {
		return ""
	}
	return filepath.Join(s.dirs[best], filepath.FromSlash(strings.TrimPrefix(importPath, best)))
}

// text is the value of an expression that is text: a literal, a constant of this or another package, or some of them added.
func (s *source) text(at string, f *ast.File, e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		v, err := strconv.Unquote(e.Value)
		return v, err == nil
	case *ast.BinaryExpr:
		a, ok1 := s.text(at, f, e.X)
		b, ok2 := s.text(at, f, e.Y)
		return a + b, ok1 && ok2 && e.Op == token.ADD
	case *ast.ParenExpr:
		return s.text(at, f, e.X)
	case *ast.CallExpr: // Feature("Name")
		if len(e.Args) == 1 {
			if name, ok := e.Fun.(*ast.SelectorExpr); ok && name.Sel.Name == "Feature" {
				return s.text(at, f, e.Args[0])
			}
		}
	case *ast.Ident:
		if p := s.pkg(at); p != nil && p.consts[e.Name] != nil {
			return s.text(at, p.in[e.Name], p.consts[e.Name])
		}
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			if of := imported(f, x.Name); of != "" {
				return s.text(of, f, e.Sel)
			}
		}
	}
	return "", false
}

// imported is the path of what a file imports under a name.
func imported(f *ast.File, name string) string {
	for _, i := range f.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		if i.Name != nil && i.Name.Name == name || i.Name == nil && path.Base(p) == name {
			return p
		}
	}
	return ""
}

// literal is the composite literal of a package's variable, or of what its function returns; nil where there is none.
func (p *pkg) literal(name string) (*ast.CompositeLit, *ast.File) {
	if v, ok := p.consts[name].(*ast.CompositeLit); ok {
		return v, p.in[name]
	}
	for _, f := range p.files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Name.Name != name || fn.Recv != nil || fn.Body == nil || len(fn.Body.List) != 1 {
				continue
			}
			if ret, ok := fn.Body.List[0].(*ast.ReturnStmt); ok && len(ret.Results) == 1 {
				if v, ok := ret.Results[0].(*ast.CompositeLit); ok {
					return v, f
				}
			}
		}
	}
	return nil, nil
}

// minorOf is the number in "1.37", 0 for anything else.
func minorOf(v string) int {
	var major, minor int
	if n, err := fmt.Sscanf(strings.TrimPrefix(v, "v"), "%d.%d", &major, &minor); n < 2 || err != nil || major != 1 {
		return 0
	}
	return minor
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
