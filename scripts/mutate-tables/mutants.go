package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// source is a package as it is written.
type source struct {
	dir   string
	set   *token.FileSet
	files map[string]*ast.File
	// values are the constants of each type, in order.
	values map[string][]string
}

func parse(dir string) (*source, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	s := &source{dir: dir, set: token.NewFileSet(), files: map[string]*ast.File{}, values: map[string][]string{}}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(s.set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.files[filepath.Base(name)] = f
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
				s.constants(g)
			}
		}
	}
	return s, nil
}

// constants notes the typed constants of a group; one without a type has that of the one above it, as with iota.
func (s *source) constants(g *ast.GenDecl) {
	typ := ""
	for _, sp := range g.Specs {
		v := sp.(*ast.ValueSpec)
		switch id, ok := v.Type.(*ast.Ident); {
		case ok:
			typ = id.Name
		case len(v.Values) > 0:
			typ = ""
		}
		if typ != "" {
			s.values[typ] = append(s.values[typ], v.Names[0].Name)
		}
	}
}

// table is one table: the function that returns it, the fields of a row and the rows.
type table struct {
	*source
	function, row string
	// renamed is the file with the function under another name.
	renamed string
	fields  []field
	rows    []*ast.CompositeLit
}

type field struct{ name, typ string }

func (s *source) table(file, function string) (*table, error) {
	t := &table{source: s, function: function}
	text, err := os.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		return nil, err
	}
	for _, d := range s.files[file].Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == function {
			at := s.set.Position(f.Name.Pos()).Offset
			t.renamed = string(text[:at]) + function + "AsWritten" + string(text[at+len(function):])
			rows := f.Body.List[0].(*ast.ReturnStmt).Results[0].(*ast.CompositeLit)
			t.row = rows.Type.(*ast.ArrayType).Elt.(*ast.Ident).Name
			for _, e := range rows.Elts {
				t.rows = append(t.rows, e.(*ast.CompositeLit))
			}
		}
	}
	ast.Inspect(s.files[file], func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != t.row {
			return true
		}
		for _, f := range spec.Type.(*ast.StructType).Fields.List {
			for _, name := range f.Names {
				t.fields = append(t.fields, field{name.Name, t.text(f.Type)})
			}
		}
		return false
	})
	if len(t.rows) == 0 || len(t.fields) == 0 {
		return nil, fmt.Errorf("%s: no table of rows in a function %s", file, function)
	}
	return t, nil
}

func (t *table) text(n ast.Node) string {
	var b bytes.Buffer
	if err := format.Node(&b, t.set, n); err != nil {
		panic("mutate-tables: what was parsed cannot be written: " + err.Error()) // a bug, not a condition
	}
	return b.String()
}

// switcher is the function that stands in for the table's: the rows as written, but for the change that KIBAN_MUTANT names.
func (t *table) switcher() (text string, mutants []string) {
	var b strings.Builder
	fmt.Fprintf(&b, "\nfunc %s() []%s {\n\trows := %sAsWritten()\n\tswitch os.Getenv(\"KIBAN_MUTANT\") {\n", t.function, t.row, t.function)
	add := func(name, change string) {
		mutants = append(mutants, name)
		fmt.Fprintf(&b, "\tcase %q:\n\t\t%s\n", name, change)
	}
	for i, row := range t.rows {
		said := map[string]string{}
		for _, e := range row.Elts {
			kv := e.(*ast.KeyValueExpr)
			said[kv.Key.(*ast.Ident).Name] = t.text(kv.Value)
		}
		name := strings.TrimSuffix(t.function, "Rows") + "/" + said[t.fields[0].name]
		add(name, fmt.Sprintf("rows = slices.Delete(rows, %d, %d)", i, i+1))
		for _, f := range t.fields[1:] {
			for _, to := range t.others(f.typ, said[f.name]) {
				add(name+"/"+f.name+"="+to, fmt.Sprintf("rows[%d].%s = %s", i, f.name, to))
			}
		}
	}
	b.WriteString("\t}\n\treturn rows\n}\n")
	return b.String(), mutants
}

// others are what a property is changed to: the other truth, the next of its type's constants, a value where there was none, none where
// there was one.
func (t *table) others(typ, is string) []string {
	switch typ {
	case "bool":
		if is == "true" {
			return []string{"false"}
		}
		return []string{"true"}
	case "int", "time.Duration":
		if is == "" {
			return []string{"7"}
		}
		return []string{"0"}
	case "string":
		if is == "" {
			return []string{`"something"`}
		}
		return []string{`""`, `"something else"`}
	}
	all := t.values[typ]
	return []string{all[(slices.Index(all, is)+1)%len(all)]}
}
