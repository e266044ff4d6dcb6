package pages

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var nameOfTest = regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")

// TestRowsNameTheirTests: each row of a table whose last column is "Tested by" names tests, and each is there. In the table of the way back
// no row says that nothing undoes a step.
func TestRowsNameTheirTests(t *testing.T) {
	there := testsOf(t)
	rows := 0
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(docs) == 0 {
		t.Fatal(docs, err)
	}
	for _, doc := range docs {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		in := false
		for line := range strings.Lines(string(text)) {
			cells := strings.Split(strings.TrimSpace(line), "|")
			switch {
			case len(cells) < 4:
				in = false
				continue
			case strings.TrimSpace(cells[len(cells)-2]) == "Tested by":
				in = true
				continue
			case !in || strings.HasPrefix(cells[1], "---"):
				continue
			}
			rows++
			names := nameOfTest.FindAllStringSubmatch(cells[len(cells)-2], -1)
			if len(names) == 0 {
				t.Errorf("%s: no test is named for %s", doc, cells[1])
			}
			for _, name := range names {
				if !there[name[1]] {
					t.Errorf("%s: there is no %s, which is named for %s", doc, name[1], cells[1])
				}
			}
			if undo := strings.TrimSpace(cells[2]); strings.HasSuffix(doc, "way-back.md") && (undo == "" || strings.HasPrefix(undo, "nothing")) {
				t.Errorf("%s: nothing undoes %s", doc, cells[1])
			}
		}
	}
	if rows < 20 {
		t.Errorf("only %d rows were found", rows)
	}
}

// testsOf are the names of the tests of both modules.
func testsOf(t *testing.T) map[string]bool {
	t.Helper()
	head := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(t \*testing\.T\)`)
	there := map[string]bool{}
	for _, room := range []string{"cmd", "lab", "lifecycle", "scripts"} {
		err := filepath.WalkDir(filepath.Join(root, room), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range head.FindAllStringSubmatch(string(text), -1) {
				there[m[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return there
}
