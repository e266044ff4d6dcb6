package posix_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kiban.dev/kiban/lab/machine/posix"
)

var names = posix.Names()

// programsOf are the programs that a line needs.
func programsOf(line string) []string {
	var ns []string
	for _, c := range calls(line) {
		if plainName(c[0]) {
			ns = append(ns, c[0])
		}
	}
	return ns
}

// source is what the package's source says of its programs.
type source struct {
	functions map[string]*ast.FuncDecl
	programs  map[string]string // name to function
}

func readSource(t *testing.T) source {
	t.Helper()
	pkgs, err := parser.ParseDir(token.NewFileSet(), ".", nil, 0) //nolint:staticcheck // one package, no build tags
	if err != nil {
		t.Fatal(err)
	}
	s := source{map[string]*ast.FuncDecl{}, map[string]string{}}
	for _, f := range pkgs["posix"].Files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				s.functions[fn.Name.Name] = fn
			}
		}
	}
	ast.Inspect(s.functions["programs"], func(n ast.Node) bool {
		if kv, ok := n.(*ast.KeyValueExpr); ok {
			s.programs[literal(kv.Key)] = kv.Value.(*ast.Ident).Name
		}
		return true
	})
	if len(s.programs) != len(names) {
		t.Fatalf("%d programs in the source, %d in Names", len(s.programs), len(names))
	}
	return s
}

// literal is a string constant's value, "" for anything else.
func literal(e ast.Expr) string {
	if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
		v, _ := strconv.Unquote(l.Value)
		return v
	}
	return ""
}

// shared are functions that many programs use, and that lead to other programs.
var shared = []string{"Run", "script", "find", "program", "usage", "fail", "open", "programs", "parse", "parseLeading", "name", "with",
	"as"}

// reach calls each with every function of the package that one leads to.
func (s source) reach(name string, each func(*ast.FuncDecl)) {
	seen := map[string]bool{}
	var walk func(name string, top bool)
	walk = func(name string, top bool) {
		fn := s.functions[name]
		if fn == nil || seen[name] || !top && (slices.Contains(shared, name) || slices.Contains(slices.Collect(maps.Values(s.programs)), name)) {
			return
		}
		seen[name] = true
		each(fn)
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				walk(n.Name, false)
			case *ast.SelectorExpr:
				walk(n.Sel.Name, false)
			}
			return true
		})
	}
	walk(name, true)
}

// specification is what a program's options are: those of its call of parse, and words that it compares its arguments with.
type specification struct {
	options []string
	leading bool
	words   []string
}

var optionWord = regexp.MustCompile(`^-[a-z][a-z0-9]*$`)

func (s source) specification(program string) specification {
	var spec specification
	s.reach(s.programs[program], func(fn *ast.FuncDecl) {
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				called := ""
				switch f := n.Fun.(type) {
				case *ast.SelectorExpr:
					called = f.Sel.Name
				case *ast.Ident:
					called = f.Name
				}
				args := n.Args
				if called == "parseOptions" {
					args = n.Args[1].(*ast.CompositeLit).Elts
				}
				if strings.HasPrefix(called, "parse") {
					for _, a := range args {
						if l := literal(a); l != "" {
							spec.options = append(spec.options, l)
						}
					}
					spec.leading = spec.leading || called == "parseLeading"
				}
			case *ast.CaseClause:
				for _, e := range n.List {
					if l := literal(e); optionWord.MatchString(l) {
						spec.words = append(spec.words, l)
					}
				}
			case *ast.KeyValueExpr:
				if l := literal(n.Key); fn.Name.Name == "ddOperands" && l != "" {
					spec.words = append(spec.words, l+"=")
				}
			}
			return true
		})
	})
	return spec
}

// TestEveryOptionHasARow takes programs and their options out of the source, and what is compared out of the rows.
func TestEveryOptionHasARow(t *testing.T) {
	s := readSource(t)
	specs := map[string]specification{}
	for p := range s.programs {
		specs[p] = s.specification(p)
	}
	used := map[string]int{}
	for _, r := range rows(t) {
		if r.expect == "refused" {
			continue
		}
		for _, c := range calls(r.line) {
			spec, ours := specs[c[0]]
			if !ours {
				continue
			}
			used[c[0]]++
			if c[0] == "[" {
				c[0] = "test" // which is the same program
			}
			for _, o := range posix.UsedOptions(c[1:], spec.options, spec.leading) {
				used[c[0]+" "+o]++
			}
			for _, w := range spec.words {
				if slices.ContainsFunc(c[1:], func(a string) bool { return a == w || strings.HasSuffix(w, "=") && strings.HasPrefix(a, w) }) {
					used[c[0]+" "+w]++
				}
			}
		}
	}
	// what cannot be compared, because it would change this machine or is the machine's own
	documented := []string{"ip", "mount make-rshared", "mount make-shared", "mount make-rprivate", "mount make-private"}
	options := 0
	for _, p := range slices.Sorted(maps.Keys(s.programs)) {
		spec := specs[p]
		wanted := []string{p}
		if p == "[" {
			spec = specification{}
		}
		for _, o := range spec.options {
			wanted = append(wanted, p+" "+strings.TrimRight(o, ":="))
		}
		for _, w := range spec.words {
			wanted = append(wanted, p+" "+w)
		}
		slices.Sort(wanted)
		wanted = slices.Compact(wanted)
		options += len(wanted) - 1
		for _, w := range wanted {
			if used[w] == 0 && !slices.Contains(documented, w) {
				t.Errorf("no row compares %q", w)
			}
		}
	}
	t.Logf("%d programs with %d options and operands, all of them in %d rows", len(s.programs), options, len(rows(t)))
}
