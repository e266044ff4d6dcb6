package backup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnseal: what was sealed opens with the key of a recipient, and with no other; what can't be opened is told with what to do.
func TestUnseal(t *testing.T) {
	dir := t.TempDir()
	own, recipient := keyFile(t)
	stranger, _ := keyFile(t)
	const content = `{"site": "tokyo"}`
	sealed, plain := filepath.Join(dir, "sealed"), filepath.Join(dir, "plain")
	for file, recipients := range map[string][]string{sealed: {recipient}, plain: nil} {
		if err := Seal(file, []byte(content), recipients); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(sealed)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut")
	if err := os.WriteFile(cut, whole[:len(whole)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, file, key, says string }{
		{"sealed", sealed, own, ""},
		{"not encrypted", plain, "", ""},
		{"another's key", sealed, stranger, "the snapshot does not open with that key"},
		{"no key", sealed, "", "the snapshot is encrypted"},
		{"cut off", cut, own, "the snapshot is not whole"},
	} {
		got, err := Unseal(c.file, c.key)
		switch {
		case c.says == "" && (err != nil || string(got) != content):
			t.Errorf("%s: got %q, %v", c.name, got, err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: got %v, want %q", c.name, err, c.says)
		}
	}
}
