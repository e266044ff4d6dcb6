package main

import (
	"fmt"
	"go/ast"
	"strings"
)

// documentFields explains every field of kiban's documents, "Site.spec.upgrade.workers.maxUnavailable", depth first. All of them must have
// their line in the table.
func (s *source) documentFields(meanings *table) ([]entry, error) {
	var all []entry
	for _, kind := range documentKinds() {
		fields, err := s.walk(meanings, strings.ToLower(kind)+"Document", kind)
		if err != nil {
			return nil, err
		}
		all = append(all, fields...)
	}
	return all, meanings.leftOver()
}

func documentKinds() []string { return []string{"Site", "Addon", "Tenant", "Fleet"} }

func (s *source) walk(meanings *table, typ, path string) ([]entry, error) {
	st, ok := structureOf(s.types[typ])
	if !ok {
		return nil, fmt.Errorf("package site has no struct %s", typ)
	}
	var out []entry
	for _, f := range st.Fields.List {
		for range f.Names {
			e, err := field(meanings, typ, path+"."+tag(f, "yaml"), formName(f.Type))
			if err != nil {
				return nil, err
			}
			inner := innerStruct(f.Type)
			if _, nested := structureOf(s.types[inner]); nested {
				e.Type = strings.TrimSuffix(e.Type, inner) + "fields"
				below, err := s.walk(meanings, inner, e.Name)
				if err != nil {
					return nil, err
				}
				out = append(append(out, e), below...)
				continue
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// field is one field with its line of the table. Where a secret is found is said once for all places that name one.
func field(meanings *table, typ, path, form string) (entry, error) {
	if typ == "sourceSpec" {
		row, there := meanings.rows["*"+path[strings.LastIndex(path, "."):]]
		if there {
			return entry{Name: path, Kind: "field", Type: form, Default: row[1], Example: row[2], Text: row[3]}, nil
		}
	}
	row, err := meanings.take(path)
	if err != nil {
		return entry{}, err
	}
	return entry{Name: path, Kind: "field", Type: form, Default: row[1], Example: row[2], Text: row[3]}, nil
}

func structureOf(t *ast.TypeSpec) (*ast.StructType, bool) {
	if t == nil {
		return nil, false
	}
	st, ok := t.Type.(*ast.StructType)
	return st, ok
}

func innerStruct(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.ArrayType:
		return innerStruct(t.Elt)
	case *ast.StarExpr:
		return innerStruct(t.X)
	case *ast.MapType:
		return innerStruct(t.Value)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// formName is how a value of a document is written.
func formName(e ast.Expr) string {
	n := typeName(e)
	if n == "values" {
		return "any mapping"
	}
	for from, to := range map[string]string{
		"duration": "duration (s, m, h)", "share": "count or per cent", "version": "k0s version", "weekday": "weekday (Mon to Sun)",
		"fileMode": "octal mode", "release": "k0s release", "clock": "time of day",
	} {
		if n == from || n == "list of "+from {
			return strings.Replace(n, from, to, 1)
		}
	}
	return n
}
