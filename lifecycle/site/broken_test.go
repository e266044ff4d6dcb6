package site

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// sampleFleet is testdata/fleet, which has nothing to complain of, with a case's files laid over it.
func sampleFleet(t testing.TB, over string) string {
	t.Helper()
	dir := t.TempDir()
	for _, from := range []string{filepath.Join("testdata", "fleet"), over} {
		if from == "" {
			continue
		}
		err := filepath.WalkDir(from, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() || e.Name() == "want.txt" {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			to := filepath.Join(dir, strings.TrimPrefix(path, from))
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			return os.WriteFile(to, b, 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "clusters", "base", "schema.json"), mergeSchema(t), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// mergeSchema is the schema that fleets bring for the stock CLI.
func mergeSchema(t testing.TB) []byte {
	t.Helper()
	return []byte(readFile(t, filepath.Join("overlay", "schema.json")))
}

// TestBroken loads testdata/broken/<case> over the sample fleet and compares every finding with want.txt.
func TestBroken(t *testing.T) {
	cases, err := os.ReadDir(filepath.Join("testdata", "broken"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name(), func(t *testing.T) {
			dir := filepath.Join("testdata", "broken", c.Name())
			fleet := sampleFleet(t, dir)
			_, ds := Load(t.Context(), fleet, "tokyo", Options{})
			got := strings.ReplaceAll(printFindings(ds), fleet, "FLEET")
			golden := filepath.Join(dir, "want.txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if len(ds) == 0 {
				t.Error("nothing was found")
			}
			for _, d := range ds {
				if d.Subject == "" || d.Summary == "" || d.Hint == "" {
					t.Errorf("a finding must say where, what, and what to do: %+v", d)
				}
			}
		})
	}
}

func printFindings(ds lifecycle.Diagnostics) string {
	var b strings.Builder
	for _, d := range ds {
		fmt.Fprintf(&b, "%s %s\n  %s\n", d.Severity, d.Subject, d.Summary)
		if d.Detail != "" {
			fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(d.Detail, "\n", "\n  "))
		}
		fmt.Fprintf(&b, "  hint: %s\n", d.Hint)
	}
	return b.String()
}

func TestSampleFleetIsSound(t *testing.T) {
	_, ds := Load(t.Context(), sampleFleet(t, ""), "tokyo", Options{})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
}

// TestKnownHostsLater: a file that is not there is told once, by whoever asks the machines, and not a second time before.
func TestKnownHostsLater(t *testing.T) {
	fleet := sampleFleet(t, filepath.Join("testdata", "broken", "known-hosts-missing"))
	if _, ds := Load(t.Context(), fleet, "tokyo", Options{KnownHostsLater: true}); len(ds) > 0 {
		t.Errorf("%s", printFindings(ds))
	}
}
