package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// example is a small module: cli imports a and b, b imports a; the tests of c use b; d reads docs/, and rules reads everything.
func example() module {
	return module{dir: ".", packages: []pkg{
		{path: "m/a", dir: "a"},
		{path: "m/a/inner", dir: "a/inner"},
		{path: "m/b", dir: "b", imports: []string{"fmt", "m/a"}},
		{path: "m/c", dir: "c", testImports: []string{"m/b"}},
		{path: "m/cli", dir: "cmd/cli", imports: []string{"m/a", "m/b"}},
		{path: "m/d", dir: "d", reads: []string{"docs"}},
		{path: "m/usesc", dir: "usesc", imports: []string{"m/c"}},
		{path: "m/rules", dir: "rules", reads: []string{"."}},
		{path: "m/e2e", dir: "e2e", testImports: []string{"m/a"}},
	}}
}

func TestPick(t *testing.T) {
	for name, c := range map[string]struct {
		files           []string
		changed, tested string
	}{
		"nothing": {nil, "", ""},
		"a package, those that import it, and those whose tests do": {[]string{"a/x.go"}, "a", "a b c cli rules"},
		"tests of an importer reach no further":                     {[]string{"b/x_test.go"}, "b", "b c cli rules"},
		"a leaf":                                                    {[]string{"cmd/cli/main.go"}, "cli", "cli rules"},
		"test data of a package":                                    {[]string{"b/testdata/deep/x.yaml"}, "b", "b c cli rules"},
		"the nearest package owns a file":                           {[]string{"a/inner/x.sh"}, "a/inner", "a/inner rules"},
		"a page that a test reads":                                  {[]string{"docs/x.md"}, "", "d rules"},
		"a name that only begins like it":                           {[]string{"docs2/x.md"}, "", "rules"},
		"a file that is gone":                                       {[]string{"usesc/gone.go"}, "usesc", "rules usesc"},
		"the suite is not for now":                                  {[]string{"e2e/x_test.go"}, "e2e", "rules"},
		"the module file":                                           {[]string{"go.mod"}, "", "a a/inner b c cli d rules usesc"},
		"another module's file of that name":                        {[]string{"lab/go.mod"}, "", "rules"},
		"of another module":                                         {[]string{"lab/a/x.go"}, "", "rules"},
	} {
		got := example().pick(c.files)
		if short(got.changed) != c.changed || short(got.tested()) != c.tested {
			t.Errorf("%s: changed %q, tested %q; want %q, %q", name, short(got.changed), short(got.tested()), c.changed, c.tested)
		}
	}
	if got := example().pick([]string{"a/x.go"}); short(got.rebuilt) != "a b c cli e2e" {
		t.Errorf("vetted: %v; want what is compiled with the change, the suite too, and not what only reads it", got.rebuilt)
	}
}

func short(paths []string) string {
	return strings.ReplaceAll(strings.Join(paths, " "), "m/", "")
}

func TestReadsOf(t *testing.T) {
	for name, c := range map[string]struct{ source, want string }{
		"the root":              {`filepath.Join("..", "..", name)`, "."},
		"a folder":              {`filepath.Join("..", "..", "docs", name)`, "docs"},
		"a file":                {`os.ReadFile("../../docs/hazards.md")`, "docs/hazards.md"},
		"a constant":            {`"../.."`, "."},
		"a neighbour":           {`path.Join("..", "plan")`, "lifecycle/plan"},
		"out of the repository": {`"../../../etc"`, ""},
		"its own":               {`filepath.Join("testdata", name)`, ""},
		"no path":               {`"two .. dots"`, ""},
		"dots that are no path": {`strings.Contains(name, "..")`, ""},
	} {
		got, err := readsOf("lifecycle/site", "package site\nvar x = "+c.source)
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v %v, want %q", name, got, err, c.want)
		}
	}
}

// The rules' own test reads the whole repository, so that each change runs it.
func TestReadsOfThisRepository(t *testing.T) {
	root := filepath.Join("..", "..")
	for dir, want := range map[string]string{"cmd/kiban": ".", "scripts/hazards": "docs/hazards.md"} {
		got, err := packageReads(root, dir)
		if err != nil || !slices.Contains(got, want) {
			t.Errorf("%s reads %v, %v; want %s among them", dir, got, err, want)
		}
	}
}

func TestChangedFiles(t *testing.T) {
	dir := t.TempDir()
	do := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args, err, out)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	do("init", "-q", "-b", "main")
	for _, name := range []string{"kept", "committed", "staged", "edited", "gone", "moved"} {
		write(name, name)
	}
	write(".gitignore", "ignored\n")
	do("add", ".")
	do("commit", "-q", "-m", "first")
	if base, err := baseCommit(t.Context(), dir, ""); err != nil || base != "HEAD" {
		t.Errorf("base of the first commit: %q, %v", base, err)
	}
	do("update-ref", "refs/remotes/origin/main", "HEAD")
	write("committed", "2")
	do("commit", "-q", "-am", "second")
	do("commit", "-q", "--allow-empty", "-m", "third")
	base, err := baseCommit(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	write("staged", "2")
	do("add", "staged")
	do("mv", "moved", "moved here")
	write("edited", "2")
	write("new", "2")
	write("ignored", "2")
	if err := os.Remove(filepath.Join(dir, "gone")); err != nil {
		t.Fatal(err)
	}
	files, err := changedFiles(t.Context(), dir, base)
	if want := "committed,edited,gone,moved,moved here,new,staged"; err != nil || strings.Join(files, ",") != want {
		t.Errorf("since the merge base: %q, %v; want %q", strings.Join(files, ","), err, want)
	}
	do("update-ref", "refs/remotes/origin/main", "HEAD")
	if last, err := baseCommit(t.Context(), dir, ""); err != nil || last == base {
		t.Errorf("base on main itself: %q, %v; want the second commit", last, err)
	}
	if asked, err := baseCommit(t.Context(), dir, "HEAD~2"); err != nil || asked != base {
		t.Errorf("base that was asked for: %q, %v; want %q", asked, err, base)
	}
	if _, err := baseCommit(t.Context(), dir, "nowhere"); err == nil {
		t.Error("a base that is no commit is accepted")
	}
}

func TestFormat(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{"good.go": "package a\n", "bad.go": "package  a\n", "broken.go": "pakage a\n", "page.md": "  x\n"}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := &checker{root: dir, files: []string{"good.go", "page.md", "deleted.go"}}
	if err := c.format(); err != nil {
		t.Error(err)
	}
	c.files = append(c.files, "bad.go", "broken.go")
	if err := c.format(); err == nil || !strings.Contains(err.Error(), "bad.go") || !strings.Contains(err.Error(), "broken.go") {
		t.Errorf("%v", err)
	}
}
