package pages

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestMessagesNameFieldsThatAreThere: a message that says "set spec.upgrade.drain.force" names a field that a document has. What
// begins with another key than those of kiban's documents, of k0s's configuration and of a few Kubernetes objects is a slip.
func TestMessagesNameFieldsThatAreThere(t *testing.T) {
	fields := map[string]bool{}
	first := map[string]bool{}
	for _, key := range []string{
		"k0s", "hosts", "options", // of k0sctl's Cluster
		"template", "replicas", "selector", "versions", "conversion", "paused", "loadBalancerClass", "clusterIPs", "nodeName",
		"limited", // of Kubernetes
	} {
		first[key] = true
	}
	for line := range linesOf(t, "lifecycle/explain/fields.txt") {
		name, _, _ := strings.Cut(line, " ")
		if _, path, found := strings.Cut(name, ".spec."); found {
			fields["spec."+path] = true
		}
	}
	ours := map[string]bool{}
	for path := range fields {
		ours[strings.Split(path, ".")[1]] = true
	}
	for line := range linesOf(t, "lifecycle/k0s_fields.txt") {
		if key, found := strings.CutPrefix(line, "spec."); found {
			key, _, _ = strings.Cut(key, ".")
			key, _, _ = strings.Cut(key, " ")
			first[strings.TrimSuffix(key, "[]")] = true
		}
	}
	seen := 0
	for _, m := range messages(t) {
		for _, found := range fieldPath.FindAllStringSubmatch(m.text, -1) {
			path := found[1]
			key := strings.Split(path, ".")[1]
			switch {
			case first[key]:
			case ours[key] && known(fields, path):
				seen++
			default:
				t.Errorf("%s: no document has the field %s", m.at, path)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d fields were found in messages", seen)
	}
}

// known also takes what is below a field that holds anything, such as a chart's values.
func known(fields map[string]bool, path string) bool {
	for path != "spec" {
		if fields[path] {
			return true
		}
		if !strings.Contains(path, "chart.values") {
			return false
		}
		path = path[:strings.LastIndex(path, ".")]
	}
	return false
}

var fieldPath = regexp.MustCompile(`(?:^|[^\w.])(spec(?:\.[a-zA-Z][a-zA-Z0-9]*)+)`)

// message is a text in kiban's source, and where it stands.
type message struct{ text, at string }

// messages are the texts in the source of kiban, those that are joined by + as one.
func messages(t *testing.T) []message {
	t.Helper()
	var out []message
	set := token.NewFileSet()
	for _, dir := range []string{"lifecycle", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				strings.Contains(path, "rendertest") {
				return err
			}
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BinaryExpr:
					if text, whole := joined(n); whole {
						out = append(out, message{text, set.Position(n.Pos()).String()})
						return false
					}
				case *ast.BasicLit:
					if text, whole := joined(n); whole {
						out = append(out, message{text, set.Position(n.Pos()).String()})
					}
				case *ast.ImportSpec, *ast.Field:
					return false
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// joined is the text of a literal, or of literals and values that are joined by +; a value is "%s".
func joined(n ast.Expr) (text string, hasText bool) {
	switch n := n.(type) {
	case *ast.BasicLit:
		if n.Kind != token.STRING {
			return "%s", false
		}
		text, err := strconv.Unquote(n.Value)
		return text, err == nil
	case *ast.ParenExpr:
		return joined(n.X)
	case *ast.BinaryExpr:
		if n.Op != token.ADD {
			return "%s", false
		}
		a, one := joined(n.X)
		b, other := joined(n.Y)
		return a + b, one || other
	}
	return "%s", false
}

// linesOf yields the lines of a file of the repository.
func linesOf(t *testing.T, path string) func(func(string) bool) {
	t.Helper()
	f, err := os.Open(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return func(yield func(string) bool) {
		for s := bufio.NewScanner(f); s.Scan(); {
			if !yield(s.Text()) {
				return
			}
		}
	}
}
