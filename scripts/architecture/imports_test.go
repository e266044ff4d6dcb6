// Package architecture holds the structure of the code: who imports whom, how wide interfaces are, and that nothing is hidden in globals.
package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "kiban.dev/kiban"

// page is where the rooms are told of, and what each may import.
const page = "docs/architecture.md"

// ownImports reads page's table: which other packages of this module each may import, and why. A package that has no row fails the test:
// whoever adds one decides its place.
func ownImports(t *testing.T) map[string]rule {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", page))
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]rule{}
	_, table, _ := strings.Cut(string(b), "| package | may import |")
	for _, line := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if !strings.HasPrefix(line, "|") {
			break
		}
		if len(cells) != 3 {
			t.Fatalf("%s: this row of the packages has not three cells: %s", page, line)
		}
		rules[strings.Trim(cells[0], "`")] = rule{names(cells[1]), cells[2]}
	}
	if len(rules) < 20 {
		t.Fatalf("%s names only %d packages; the rules would hold of nothing", page, len(rules))
	}
	return rules
}

// names are the packages of a cell.
func names(cell string) []string {
	if strings.TrimSpace(cell) == "anything" {
		return []string{"*"}
	}
	var out []string
	for name := range strings.SplitSeq(cell, ",") {
		if name := strings.Trim(name, " `"); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// foreignImports says which package alone may import a library, and why.
func foreignImports() []foreign {
	return []foreign{
		{"github.com/k0sproject/", "lifecycle/k0s",
			"k0sctl and rig change between releases, and write to what they are given: one package deals with that"},
		{"k8s.io/", "lifecycle/kube", "the Kubernetes API is spoken in one place, with its fail-over and its time limits"},
		{"helm.sh/helm/", "lifecycle/helm", "Helm's SDK keeps globals and logs as it likes: one package deals with that"},
		{"sigs.k8s.io/kustomize/", "lifecycle/site/overlay", "there is one merge language, and one place that runs it"},
		{"github.com/BurntSushi/", "lifecycle/site", "what is TOML is judged where files are declared; machines are asked for less"},
		{"github.com/go-git/", "lifecycle/git", "git is read in one place"},
		{"gitlab.com/gitlab-org/", "lifecycle/gitlab", "GitLab is asked, with patience and without doing things twice, in one place"},
		{"github.com/coreos/go-oidc/", "lifecycle/gitlab", "whose signature counts is decided in one place"},
		{"filippo.io/age", "lifecycle/backup", "what is encrypted, and to whom, is decided in one place"},
		{"github.com/minio/", "lifecycle/depot", "what speaks S3 is asked in one place"},
		{"github.com/pkg/sftp", "lifecycle/depot", "files are kept by SFTP in one place"},
		{"oras.land/", "lifecycle/depot", "artifacts are pushed to registries in one place; charts are Helm's to pull"},
		{"github.com/prometheus/", "lifecycle/fleet", "what monitoring reads is written in one place"},
		{"go.opentelemetry.io/", "lifecycle/traces", "runs are told to collectors in one place"},
		{"github.com/spf13/", "cmd/kiban", "what a command line looks like is no business of the packages below"},
		{"golang.org/x/term", "cmd/kiban", "only the outermost layer knows whether there is a terminal"},
	}
}

// sharedImports says which package may import a library beside the one that has it to itself, and why: "package prefix".
func sharedImports() map[string]string {
	return map[string]string{
		"lifecycle/helm k8s.io/": "Helm's SDK takes client-go's configuration, mapper and discovery as they are, " +
			"and gives back the API server's errors; no object is read or written with them here",
		"lifecycle/selector k8s.io/": "the syntax of label selectors is the parser's, so that -l means what kubectl's does; " +
			"it asks no API",
	}
}

type rule struct {
	may []string
	why string
}

type foreign struct{ prefix, only, why string }

func TestImports(t *testing.T) {
	own, others := ownImports(t), foreignImports()
	for _, f := range sources(t) {
		if f.test {
			continue // tests may bring what they need to stand in for the world
		}
		r, known := own[f.dir]
		if !known {
			t.Errorf("%s: package %s has no row in the table of %s; give it one", f.path, f.dir, page)
			continue
		}
		for _, spec := range f.ast.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			if inner, ok := strings.CutPrefix(path, module+"/"); ok && !slices.Contains(r.may, inner) && !slices.Contains(r.may, "*") {
				t.Errorf("%s imports %s, which %s may not: %s", f.path, inner, f.dir, r.why)
			}
			if f.dir == "lifecycle" && strings.Contains(strings.Split(path, "/")[0], ".") {
				t.Errorf("%s imports %s: %s", f.path, path, r.why)
			}
			for _, o := range others {
				if strings.HasPrefix(path, o.prefix) && f.dir != o.only && sharedImports()[f.dir+" "+o.prefix] == "" {
					t.Errorf("%s imports %s, which only %s may: %s", f.path, path, o.only, o.why)
				}
			}
		}
	}
}

// TestRooms: each row of the table is a package that exists, and names only such. Adapters know nothing of each other.
func TestRooms(t *testing.T) {
	own, there := ownImports(t), map[string]bool{"clusters": true, "docs": true, "*": true}
	for _, f := range sources(t) {
		there[f.dir] = there[f.dir] || !f.test
	}
	adapters := []string{"lifecycle/k0s", "lifecycle/kube", "lifecycle/helm", "lifecycle/git", "lifecycle/gitlab", "lifecycle/traces"}
	for name, r := range own {
		if !there[name] {
			t.Errorf("%s has a row for %s, which is no package", page, name)
		}
		for _, other := range r.may {
			if !there[other] {
				t.Errorf("%s: %s may import %s, which is no package", page, name, other)
			}
			if slices.Contains(adapters, name) && len(own[other].may) > 0 {
				t.Errorf("%s: the adapter %s may import %s; adapters know the words, and what knows nothing itself", page, name, other)
			}
		}
	}
}

// TestWiring: of cmd/kiban only the wiring names adapters; what verbs ask of a site they ask of lifecycle/session.
func TestWiring(t *testing.T) {
	wiring := []string{"wire.go"}
	adapters := []string{"site", "plan", "observe", "check", "k0s", "kube", "git", "helm", "gitlab", "traces"}
	for _, f := range sources(t) {
		if f.test || f.dir != "cmd/kiban" || slices.Contains(wiring, filepath.Base(f.path)) {
			continue
		}
		for _, spec := range f.ast.Imports {
			inner, _ := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module+"/lifecycle/")
			if slices.Contains(adapters, inner) {
				t.Errorf("%s imports lifecycle/%s: only %s do, so that verbs can be tested with others in their place", f.path, inner,
					strings.Join(wiring, " and "))
			}
		}
	}
}

func TestNoJunkDrawers(t *testing.T) {
	for _, f := range sources(t) {
		for _, name := range []string{"util", "utils", "common", "helper", "helpers", "misc", "shared"} {
			if f.ast.Name.Name == name {
				t.Errorf("%s: a package called %s says nothing of what is in it", f.path, name)
			}
		}
	}
}

// TestNoHiddenState: no init(), which runs where nobody sees it, and no package-level variable, which couples everything that uses it.
// Allowed are values that nobody changes and Go has no constants for: errors, compiled patterns, embedded files; and the exceptions by
// name. Tests may have fixtures, but no init() either.
func TestNoHiddenState(t *testing.T) {
	for _, f := range sources(t) {
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s: func init runs where nobody sees it; call what it does from where it is needed", f.path)
				}
			case *ast.GenDecl:
				if d.Tok != token.VAR || f.test {
					continue
				}
				for _, s := range d.Specs {
					v := s.(*ast.ValueSpec)
					if exceptions()[f.path+" "+v.Names[0].Name] == "" && !allowedVar(d, v) {
						t.Errorf("%s: package-level variable %s; pass it as an argument, or make it a constant or a function", f.path, v.Names[0].Name)
					}
				}
			}
		}
	}
}

// exceptions are the variables that guard what other libraries keep in globals of their own, with the reason.
func exceptions() map[string]string {
	return map[string]string{
		"lifecycle/k0s/ssh.go hermetic": "rig and k0sctl read the user's files and log through globals; " +
			"they are set once, before the first session",
		"lifecycle/prelude/prelude.go held": "what libraries are not to see while they set themselves up has to be kept from before " +
			"the first of them until after the last",
		"lifecycle/helm/connect.go fieldManager": "Helm's SDK takes the name that it applies objects as from a global; " +
			"it is set once, before the first release",
		"lifecycle/kube/klog.go libraries":     "client-go logs through klog's one logger; it is set once, before the first client",
		"lifecycle/bounded/bounded.go process": "what was given up takes the memory of the whole process, whoever began it",
		"lifecycle/site/overlay/build.go kustomize": "kustomize's schemas are global to the process and not locked; " +
			"one gate lets builds look, and none change them meanwhile",
	}
}

func allowedVar(d *ast.GenDecl, v *ast.ValueSpec) bool {
	if v.Names[0].Name == "_" || embedded(d.Doc) || embedded(v.Doc) {
		return true
	}
	for _, value := range v.Values {
		call, ok := value.(*ast.CallExpr)
		if !ok {
			return false
		}
		fun, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		pkg, ok := fun.X.(*ast.Ident)
		if !ok {
			return false
		}
		switch pkg.Name + "." + fun.Sel.Name {
		case "errors.New", "fmt.Errorf", "regexp.MustCompile":
		default:
			return false
		}
	}
	return len(v.Values) > 0
}

func embedded(c *ast.CommentGroup) bool {
	return c != nil && slices.ContainsFunc(c.List, func(l *ast.Comment) bool { return strings.HasPrefix(l.Text, "//go:embed ") })
}

// source is one file of this module; the lab and the tools are modules of their own, with rules of their own.
type source struct {
	path, dir string
	test      bool
	ast       *ast.File
}

func sources(t *testing.T) []source {
	t.Helper()
	root := filepath.Join("..", "..")
	var out []source
	for _, top := range []string{"lifecycle", "cmd", "scripts"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
				return err
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, path)
			out = append(out, source{path: filepath.ToSlash(rel), dir: filepath.ToSlash(filepath.Dir(rel)),
				test: strings.HasSuffix(path, "_test.go"), ast: parsed})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) < 50 {
		t.Fatalf("only %d files were found; the rules would hold of nothing", len(out))
	}
	return out
}
