package architecture

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A regular expression of a package is compiled at each start, and one that counts far is as long as its count says: a `{1,253}` took
// nearly as long as all others of the product together. A length is compared beside the expression.
func TestExpressionsDoNotCountFar(t *testing.T) {
	const most = 64
	global := regexp.MustCompile("^(?:var )?\t?\\w+ *= regexp\\.MustCompile\\(.*")
	counts := regexp.MustCompile(`\{(\d+)(?:,(\d*))?\}`)
	seen := 0
	for _, dir := range []string{"lifecycle", "cmd"} {
		err := filepath.WalkDir(filepath.Join("..", "..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(b)) {
				if !global.MatchString(line) {
					continue
				}
				seen++
				for _, m := range counts.FindAllStringSubmatch(line, -1) {
					for _, text := range m[1:] {
						if n, err := strconv.Atoi(text); err == nil && n > most {
							t.Errorf("%s: an expression counts to %d: compare the length beside it\n%s", path, n, line)
						}
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 50 {
		t.Errorf("only %d expressions were found", seen)
	}
}
