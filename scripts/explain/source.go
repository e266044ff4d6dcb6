package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// source is the declarations of one package.
type source struct {
	types  map[string]*ast.TypeSpec
	consts []constant
}

// constant is one constant with the comment that covers it: its own, or that of the constants it stands below.
type constant struct {
	name, typ, value, text string
}

func parse(dir string) (*source, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	s := &source{types: map[string]*ast.TypeSpec{}}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				s.declare(g)
			}
		}
	}
	return s, nil
}

func (s *source) declare(g *ast.GenDecl) {
	above := ""
	for _, sp := range g.Specs {
		switch sp := sp.(type) {
		case *ast.TypeSpec:
			if sp.Doc == nil {
				sp.Doc = g.Doc
			}
			s.types[sp.Name.Name] = sp
		case *ast.ValueSpec:
			if g.Tok != token.CONST || len(sp.Values) != 1 {
				continue
			}
			if t := comment(sp.Doc); t != "" {
				above = t
			}
			text := comment(sp.Comment)
			if text == "" {
				text = above
			}
			typ := ""
			if id, ok := sp.Type.(*ast.Ident); ok {
				typ = id.Name
			}
			if lit, ok := sp.Values[0].(*ast.BasicLit); ok {
				s.consts = append(s.consts, constant{sp.Names[0].Name, typ, strings.Trim(lit.Value, `"`), text})
			}
		}
	}
}

func comment(c *ast.CommentGroup) string {
	if c == nil {
		return ""
	}
	return hazards.ReplaceAllString(strings.Join(strings.Fields(c.Text()), " "), "")
}

// hazards are references for developers.
var hazards = regexp.MustCompile(` \(H\d+(?:, H\d+)*\)`)

// word explains a type and its fields.
func (s *source) word(name string) (entry, error) {
	t, ok := s.types[name]
	if !ok {
		return entry{}, fmt.Errorf("package lifecycle has no type %s", name)
	}
	e := entry{Name: lowerFirst(name), Kind: "word", Text: s.plain(strings.Replace(comment(t.Doc), name, "A "+splitWords(name), 1))}
	e.Text = strings.Replace(e.Text, "A event", "An event", 1)
	st, ok := t.Type.(*ast.StructType)
	if !ok {
		return e, nil
	}
	above := ""
	for _, f := range st.Fields.List {
		if c := comment(f.Doc); c != "" {
			above = c
		}
		for _, n := range f.Names {
			key := tag(f, "json")
			if key == "" || key == "-" {
				continue
			}
			text := comment(f.Doc)
			if text == "" {
				text = comment(f.Comment)
			}
			if text == "" && strings.Contains(above, n.Name) {
				text = above // one comment for several fields names each
			}
			e.Fields = append(e.Fields, entry{Name: key, Kind: "field", Type: typeName(f.Type), Text: s.plain(renameFields(st, "json", text))})
		}
	}
	return e, nil
}

// constants explains the constants of a type.
func (s *source) constants(typ, kind string) []entry {
	var out []entry
	for _, c := range s.consts {
		if c.typ == typ && c.value != "" {
			out = append(out, entry{Name: c.value, Kind: kind, Text: s.plain(c.text)})
		}
	}
	return out
}

// exitCodes explains the exit codes of cmd/kiban.
func (s *source) exitCodes() []entry {
	var out []entry
	for _, c := range s.consts {
		if _, err := strconv.Atoi(c.value); err == nil && strings.HasPrefix(c.name, "exit") {
			out = append(out, entry{Name: c.value, Kind: "exit", Text: c.text})
		}
	}
	return out
}

var identifier = regexp.MustCompile(`\b[A-Z][A-Za-z0-9]+\b`)

// plain puts the values of constants, which people see, in the place of their names, which they don't.
func (s *source) plain(text string) string {
	return identifier.ReplaceAllStringFunc(text, func(id string) string {
		for _, c := range s.consts {
			if c.name == id && c.typ != "" && c.value != "" {
				return c.value
			}
		}
		return id
	})
}

func tag(f *ast.Field, key string) string {
	if f.Tag == nil {
		return ""
	}
	name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get(key), ",")
	return name
}

// typeName is a field's type in words.
func typeName(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.ArrayType:
		return "list of " + typeName(t.Elt)
	case *ast.MapType:
		return "map of " + typeName(t.Value)
	case *ast.StarExpr:
		return typeName(t.X)
	case *ast.SelectorExpr:
		return strings.ToLower(t.Sel.Name)
	case *ast.Ident:
		switch t.Name {
		case "bool":
			return "true or false"
		case "int", "int64":
			return "number"
		}
		return lowerFirst(t.Name)
	}
	return ""
}

func lowerFirst(s string) string {
	r := []rune(s)
	for i := range r {
		if i > 0 && (i+1 == len(r) || !unicode.IsUpper(r[i+1])) && !unicode.IsUpper(r[i]) {
			break
		}
		if i > 0 && i+1 < len(r) && unicode.IsLower(r[i+1]) {
			break
		}
		r[i] = unicode.ToLower(r[i])
	}
	return string(r)
}

// splitWords says "host state" for HostState.
func splitWords(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// renameFields puts the names that people see in the place of the fields' names in Go.
func renameFields(st *ast.StructType, kind, text string) string {
	return identifier.ReplaceAllStringFunc(text, func(id string) string {
		for _, f := range st.Fields.List {
			for _, n := range f.Names {
				if key := tag(f, kind); n.Name == id && key != "" && key != "-" {
					return key
				}
			}
		}
		return id
	})
}
