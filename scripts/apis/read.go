package main

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// read gives the kinds of all modules that are deprecated or removed at some release. Of a kind that several releases have, the newest
// release tells: dates are put off.
func read(modules []module) ([]api, error) {
	all := map[string]api{}
	before := "" // the minor of the release that was read before, a newer one
	for i, m := range modules {
		if i > 0 && m.minor() != modules[i-1].minor() {
			before = modules[i-1].minor()
		}
		dirs, err := packages(m.dir)
		if err != nil {
			return nil, err
		}
		for _, dir := range dirs {
			kinds, err := readPackage(dir)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", m.Path, m.Version, err)
			}
			for _, a := range kinds {
				key := a.Group + "/" + a.Version + "/" + a.Kind
				if _, known := all[key]; known {
					continue
				}
				a.From = m.Version
				if before != "" && isUnstable(a.Version) && (a.Removed == "" || compareReleases(before, a.Removed) < 0) {
					a.Removed, a.Deleted = before, true // nobody serves a type that is not there
				}
				all[key] = a
			}
		}
	}
	var out []api
	for _, a := range all {
		if a.Removed == "" {
			continue
		}
		if next := newest(all, a, modules[0].Version); a.Replacement == "" && next != "" {
			a.Replacement, a.Found = next+" "+a.Kind, true
		}
		if version, kind, ok := strings.Cut(a.Replacement, " "); ok {
			if !strings.Contains(version, "/") {
				version = "/" + version
			}
			a.Begins = all[version+"/"+kind].Introduced
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b api) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Kind, b.Kind))
	})
	return out, nil
}

// newest is the group and version that has the same kind in the newest release, and is more stable or newer than the API's own. "" is
// none.
func newest(all map[string]api, a api, release string) string {
	best := a.Version
	for _, o := range all {
		if o.Group == a.Group && o.Kind == a.Kind && o.From == release && compareVersions(o.Version, best) > 0 {
			best = o.Version
		}
	}
	if best == a.Version {
		return ""
	}
	return strings.TrimPrefix(a.Group+"/"+best, "/")
}

// compareVersions orders versions of an API as Kubernetes does: v1alpha1 before v1beta1 before v1, and by number among their like.
func compareVersions(a, b string) int {
	level := func(v string) (stability, major, step int) {
		for i, word := range []string{"alpha", "beta"} {
			if before, after, found := strings.Cut(v, word); found {
				major, _ = strconv.Atoi(strings.TrimPrefix(before, "v"))
				step, _ = strconv.Atoi(after)
				return i, major, step
			}
		}
		major, _ = strconv.Atoi(strings.TrimPrefix(v, "v"))
		return 2, major, 0
	}
	s1, m1, n1 := level(a)
	s2, m2, n2 := level(b)
	return cmp.Or(cmp.Compare(s1, s2), cmp.Compare(m1, m2), cmp.Compare(n1, n2))
}

// compareReleases orders minor releases: 1.9 before 1.10.
func compareReleases(a, b string) int {
	number := func(s string) int {
		_, minor, _ := strings.Cut(s, ".")
		n, _ := strconv.Atoi(minor)
		return n
	}
	return cmp.Compare(number(a), number(b))
}

// isUnstable reports whether a version may be taken away: stable ones are not, and a stable kind that is gone was none that is served.
func isUnstable(version string) bool {
	return strings.Contains(version, "alpha") || strings.Contains(version, "beta")
}

// readPackage reads the kinds of one group's version: those that it registers, with what their methods say of their life. Kinds that are
// lists of others are left out: they come and go with them.
func readPackage(dir string) ([]api, error) {
	files, err := parse(dir, "register.go")
	if err != nil {
		return nil, err
	}
	group, version, kinds := registered(files)
	if version == "" || len(kinds) == 0 {
		return nil, nil // internal types, and those of admission reviews and the like
	}
	methods, err := parse(dir, "zz_generated.prerelease-lifecycle.go")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	life := map[string]api{}
	for _, kind := range kinds {
		if base, list := strings.CutSuffix(kind, "List"); list && slices.Contains(kinds, base) {
			continue
		}
		if strings.HasSuffix(kind, "Options") {
			continue // parameters of a request
		}
		life[kind] = api{Group: group, Version: version, Kind: kind, Resource: plural(kind)}
	}
	if methods != nil {
		for _, d := range methods.Decls {
			if err := lifecycleMethod(d, life); err != nil {
				return nil, fmt.Errorf("%s: %w", dir, err)
			}
		}
	}
	return slices.Collect(maps.Values(life)), nil
}

func parse(dir, name string) (*ast.File, error) {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	return parser.ParseFile(token.NewFileSet(), path, nil, 0)
}

// registered are a register.go's group, version and kinds.
func registered(f *ast.File) (group, version string, kinds []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if len(n.Names) == 1 && n.Names[0].Name == "GroupName" && len(n.Values) == 1 {
				group = text(n.Values[0])
			}
		case *ast.CompositeLit:
			if s, ok := n.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "GroupVersion" && version == "" {
				version = fieldsOf(n)["Version"]
			}
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "AddKnownTypes" {
				for _, arg := range n.Args {
					if kind := typeOf(arg); kind != "" {
						kinds = append(kinds, kind)
					}
				}
			}
		}
		return true
	})
	return group, version, kinds
}

// typeOf is the type of &Deployment{}, "" for anything else.
func typeOf(e ast.Expr) string {
	u, ok := e.(*ast.UnaryExpr)
	if !ok {
		return ""
	}
	lit, ok := u.X.(*ast.CompositeLit)
	if !ok {
		return ""
	}
	id, ok := lit.Type.(*ast.Ident)
	if !ok {
		return ""
	}
	return id.Name
}

// lifecycleMethod reads one method into the kind that it is of. A method of a form that is not known is an error: nothing is guessed.
func lifecycleMethod(d ast.Decl, life map[string]api) error {
	f, ok := d.(*ast.FuncDecl)
	if !ok || f.Recv == nil || !strings.HasPrefix(f.Name.Name, "APILifecycle") {
		return nil
	}
	star, ok := f.Recv.List[0].Type.(*ast.StarExpr)
	if !ok {
		return fmt.Errorf("the receiver of %s is no pointer", f.Name.Name)
	}
	kind := star.X.(*ast.Ident).Name
	a, known := life[kind]
	if !known {
		return nil
	}
	if len(f.Body.List) != 1 {
		return fmt.Errorf("%s of %s is of a form that is not known", f.Name.Name, kind)
	}
	ret, ok := f.Body.List[0].(*ast.ReturnStmt)
	if !ok {
		return fmt.Errorf("%s of %s does not return at once", f.Name.Name, kind)
	}
	if f.Name.Name == "APILifecycleReplacement" {
		lit, ok := ret.Results[0].(*ast.CompositeLit)
		if !ok {
			return fmt.Errorf("%s of %s gives no literal", f.Name.Name, kind)
		}
		v := fieldsOf(lit)
		a.Replacement = strings.TrimPrefix(v["Group"]+"/"+v["Version"]+" "+successor(kind, v["Kind"]), "/")
		life[kind] = a
		return nil
	}
	release, err := minorRelease(ret)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", f.Name.Name, kind, err)
	}
	switch f.Name.Name {
	case "APILifecycleIntroduced":
		a.Introduced = release
	case "APILifecycleDeprecated":
		a.Deprecated = release
	case "APILifecycleRemoved":
		a.Removed = release
	default:
		return fmt.Errorf("%s is not known", f.Name.Name)
	}
	life[kind] = a
	return nil
}

// successor is the kind that takes a kind's place. Some methods name the list of it, as that of IngressClass does: a list is no kind that
// anybody could write instead.
func successor(kind, named string) string {
	if one, list := strings.CutSuffix(named, "List"); list && !strings.HasSuffix(kind, "List") {
		return one
	}
	return named
}

func minorRelease(ret *ast.ReturnStmt) (string, error) {
	if len(ret.Results) != 2 {
		return "", errors.New("it does not give a major and a minor")
	}
	var n [2]int
	for i, e := range ret.Results {
		lit, ok := e.(*ast.BasicLit)
		if !ok {
			return "", errors.New("it gives no literal")
		}
		v, err := strconv.Atoi(lit.Value)
		if err != nil {
			return "", err
		}
		n[i] = v
	}
	return release(n[0], n[1]), nil
}

// release is a minor release as the file has it.
func release(major, minor int) string { return fmt.Sprintf("%d.%d", major, minor) }

// fieldsOf are the text fields of a literal.
func fieldsOf(lit *ast.CompositeLit) map[string]string {
	out := map[string]string{}
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok {
				out[id.Name] = text(kv.Value)
			}
		}
	}
	return out
}

func text(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return s
}

// plural is a kind's resource, by the rule that Kubernetes' own clients guess it by (k8s.io/apimachinery, UnsafeGuessKindToResource).
func plural(kind string) string {
	singular := strings.ToLower(kind)
	switch {
	case singular == "endpoints":
		return singular
	case strings.HasSuffix(singular, "s"):
		return singular + "es"
	case strings.HasSuffix(singular, "y"):
		return strings.TrimSuffix(singular, "y") + "ies"
	}
	return singular + "s"
}
