package architecture

import (
	"fmt"
	"go/ast"
	"path/filepath"
	"strings"
	"testing"
)

// widest is how many methods an interface may have, those of embedded ones counted: what needs more is several things.
const widest = 5

// foreignMethods are the interfaces of other modules that ours embed, with how many methods they have.
func foreignMethods() map[string]int {
	return map[string]int{"error": 1, "io.Reader": 1, "io.Writer": 1, "io.Closer": 1, "io.ReadCloser": 2, "fmt.Stringer": 1}
}

// wideInterfaces are those that may be wider, with the reason.
func wideInterfaces() map[string]string {
	return map[string]string{
		"lifecycle/helm.kubeClient": "Helm's SDK takes its own interface of a Kubernetes client, of nine methods, and nothing less",
	}
}

// TestInterfacesAreSmall: whoever stands in for an interface, in a test or for good, has at most five methods to write.
func TestInterfacesAreSmall(t *testing.T) {
	found := declaredInterfaces(t)
	if len(found) < 20 {
		t.Fatalf("only %d interfaces were found; the rule would hold of nothing", len(found))
	}
	for name, i := range found {
		if wideInterfaces()[name] != "" {
			continue
		}
		n, err := i.methods(found)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n > widest {
			t.Errorf("interface %s has %d methods; split it by who needs which", name, n)
		}
	}
}

// iface is an interface, and the folder and imports that names in it are looked up by.
type iface struct {
	dir     string
	imports map[string]string // by the name that the file uses
	typ     *ast.InterfaceType
}

// declaredInterfaces are those of this module, named ones by "folder.Name", the others by where they stand.
func declaredInterfaces(t *testing.T) map[string]iface {
	t.Helper()
	found := map[string]iface{}
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		imports := map[string]string{}
		for _, spec := range f.ast.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			name := filepath.Base(path)
			if spec.Name != nil {
				name = spec.Name.Name
			}
			imports[name] = path
		}
		named := map[*ast.InterfaceType]bool{}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if i, ok := n.Type.(*ast.InterfaceType); ok {
					named[i] = true
					found[f.dir+"."+n.Name.Name] = iface{f.dir, imports, i}
				}
			case *ast.InterfaceType:
				if !named[n] && len(n.Methods.List) > 0 {
					found[fmt.Sprintf("%s (at byte %d)", f.path, n.Pos())] = iface{f.dir, imports, n}
				}
			}
			return true
		})
	}
	return found
}

// methods counts them, with those of what is embedded. Unions of types, which constraints have, are none.
func (i iface) methods(known map[string]iface) (int, error) {
	n := 0
	for _, m := range i.typ.Methods.List {
		var name string
		switch e := m.Type.(type) {
		case *ast.FuncType:
			n += len(m.Names)
			continue
		case *ast.Ident:
			name = i.dir + "." + e.Name
			if known[name].typ == nil {
				name = e.Name
			}
		case *ast.SelectorExpr:
			pkg := e.X.(*ast.Ident).Name
			name = pkg + "." + e.Sel.Name
			if inner, ours := strings.CutPrefix(i.imports[pkg], module+"/"); ours {
				name = inner + "." + e.Sel.Name
			}
		default:
			continue
		}
		if inner, ok := known[name]; ok {
			more, err := inner.methods(known)
			if err != nil {
				return 0, err
			}
			n += more
			continue
		}
		more, ok := foreignMethods()[name]
		if !ok {
			return 0, fmt.Errorf("it embeds %s, and how many methods that has is not in foreignMethods", name)
		}
		n += more
	}
	return n, nil
}
