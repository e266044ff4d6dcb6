package site

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// lift puts one more lift into the file.
func lift(fleet string, l lifecycle.Lift) error {
	content, err := Lifted(fleet, l)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(fleet, lifecycle.HoldsFile), content, 0o644)
}

// What is lifted is read again as it was written, after what stood there, whose comments stay.
func TestLift(t *testing.T) {
	fleet := t.TempDir()
	if got, ds := ReadLifts(fleet); len(got) > 0 || len(ds) > 0 {
		t.Errorf("without the file: %v, %v", got, ds)
	}
	at := time.Date(2026, 11, 30, 5, 12, 0, 0, time.UTC)
	first := lifecycle.Lift{Failure: "0123456789", By: "ann", Why: "the mirror was full: cleaned", At: at}
	second := lifecycle.Lift{Failure: "abcdef0123", By: "ben", Why: "kernel replaced", At: at.Add(time.Hour)}
	file := filepath.Join(fleet, lifecycle.HoldsFile)
	if err := lift(fleet, first); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, "# who may lift: the platform team\n"+string(b))
	if err := lift(fleet, second); err != nil {
		t.Fatal(err)
	}
	got, ds := ReadLifts(fleet)
	if len(ds) > 0 || len(got) != 2 || got[0] != first || got[1] != second {
		t.Errorf("%+v, %v", got, ds)
	}
	if b, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(b), "# who may lift") {
		t.Errorf("the comment is gone: %v\n%s", err, b)
	}
}

// A file that is not as it should be lifts nothing, is not written over, and is told with its line.
func TestHoldsFileIsStrict(t *testing.T) {
	head := "apiVersion: kiban.dev/v1alpha1\nkind: Holds\nspec:\n  lifted:\n"
	for name, c := range map[string]struct{ content, subject, says string }{
		"another kind": {"apiVersion: kiban.dev/v1alpha1\nkind: Fleet\n", "holds.yaml:2", `kind can't be "Fleet" here`},
		"unknown field": {head + "  - {failure: '0123456789', by: a, why: b, at: '2026-11-30T05:12:00Z', sites: all}\n", "holds.yaml:5",
			"has no field"},
		"no fingerprint": {head + "  - {failure: all, by: a, why: b, at: '2026-11-30T05:12:00Z'}\n", "holds.yaml:5", `"all" is no fingerprint`},
		"no time":        {head + "  - {failure: '0123456789', by: a, why: b, at: today}\n", "holds.yaml:5", `"today" is no time`},
		"nobody said why": {head + "  - {failure: '0123456789', by: a, at: '2026-11-30T05:12:00Z'}\n", "holds.yaml:5",
			"who lifted it and why"},
		"something else":    {"- a\n", "holds.yaml", ""},
		"two documents":     {head + "---\n" + head, "holds.yaml", "not one document"},
		"a key given twice": {head + "  lifted: []\n", "holds.yaml:5", "given twice"},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := t.TempDir()
			file := filepath.Join(fleet, lifecycle.HoldsFile)
			write(t, file, c.content)
			got, ds := ReadLifts(fleet)
			if len(got) > 0 || ds.Err() == nil || !strings.HasPrefix(ds[0].Subject, c.subject) || !strings.Contains(ds[0].Summary, c.says) {
				t.Errorf("%+v, %+v", got, ds)
			}
			if err := lift(fleet, lifecycle.Lift{Failure: "0123456789", By: "a", Why: "b", At: time.Now()}); err == nil {
				t.Error("it was written over")
			}
			if b, err := os.ReadFile(file); err != nil || string(b) != c.content {
				t.Errorf("it is another: %v %s", err, b)
			}
		})
	}
}
