package k0s

import (
	"reflect"
	"strings"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1"
)

// Fields are the names that k0sctl takes below a place of its Cluster document, such as {"spec", "hosts", "[hostname=w-1]"}, in its own
// order. None where it takes any name, or a single value.
func Fields(path []string) []string {
	typ := reflect.TypeFor[v1beta1.Cluster]()
	for _, step := range path {
		if typ = below(plain(typ), step); typ == nil {
			return nil
		}
	}
	return named(plain(typ))
}

func plain(typ reflect.Type) reflect.Type {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	return typ
}

// below is the type of a field, or of a list's items; nil where there is neither.
func below(typ reflect.Type, step string) reflect.Type {
	if strings.HasPrefix(step, "[") {
		if typ.Kind() == reflect.Slice {
			return typ.Elem()
		}
		return nil
	}
	var found reflect.Type
	eachField(typ, func(name string, field reflect.Type) {
		if name == step {
			found = field
		}
	})
	return found
}

func named(typ reflect.Type) []string {
	var names []string
	eachField(typ, func(name string, _ reflect.Type) { names = append(names, name) })
	return names
}

// eachField goes through what YAML knows of a type. What has no names in YAML, such as a version, is a value.
func eachField(typ reflect.Type, do func(string, reflect.Type)) {
	if typ.Kind() != reflect.Struct {
		return
	}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, rest, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "-":
		case strings.Contains(rest, "inline"):
			eachField(plain(f.Type), do)
		case name != "":
			do(name, f.Type)
		}
	}
}
