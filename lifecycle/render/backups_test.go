package render

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestBackupsFitTheTerminal: the list is read at night, on whatever is at hand. A backup that is not encrypted says so.
func TestBackupsFitTheTerminal(t *testing.T) {
	kept := []lifecycle.KeptBackup{{Name: "lab-v1.36.3+k0s.2-20261128T231335Z.tar.gz", Place: "/srv/fleet/.kiban/backups/lab", Size: 133 << 10,
		Version: lifecycle.Version{Major: 1, Minor: 36, Patch: 3, Build: 2}, Taken: "2026-11-28T23:13:35Z"}}
	for _, width := range []int{60, 80, 120, 200} {
		var b strings.Builder
		if err := Backups(&b, kept, Style{}.Within(width)); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"ENCRYPTED FOR", "nobody", kept[0].Name} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("no %q in\n%s", want, b.String())
			}
		}
		for line := range strings.Lines(b.String()) {
			if n := columnsOf(strings.TrimRight(line, "\n")); n > width {
				t.Errorf("%d columns: a line has %d: %s", width, n, line)
			}
		}
	}
}
