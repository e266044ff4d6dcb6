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

// jsonFields are the fields that a type has in JSON.
func (s *source) jsonFields(name string, meanings *table) ([]entry, error) {
	st, ok := structureOf(s.types[name])
	if !ok {
		return nil, fmt.Errorf("package lifecycle has no struct %s", name)
	}
	var out []entry
	for _, f := range st.Fields.List {
		key := tag(f, "json")
		if key == "" || key == "-" || len(f.Names) == 0 {
			continue
		}
		row, err := meanings.take(lowerFirst(name) + "." + key)
		if err != nil {
			return nil, err
		}
		out = append(out, entry{Name: key, Kind: "field", Type: s.jsonName(f.Type), Text: row[1]})
	}
	return out, nil
}

// jsonName is how a value is written in JSON: a type of several fields is "fields", one of a text is "string".
func (s *source) jsonName(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.ArrayType:
		return "list of " + s.jsonName(t.Elt)
	case *ast.MapType:
		return "map of " + s.jsonName(t.Value)
	case *ast.StarExpr:
		return s.jsonName(t.X)
	case *ast.Ident:
		switch own := s.types[t.Name]; {
		case own == nil:
		case t.Name == "Version":
			return "string"
		default:
			if _, is := structureOf(own); is {
				return "fields"
			}
			return s.jsonName(own.Type)
		}
	case *ast.SelectorExpr:
		return map[string]string{"Duration": "number", "Time": "time"}[t.Sel.Name]
	}
	return typeName(e)
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
