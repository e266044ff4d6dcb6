package twin

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestAskLab: only what says what it plays is a lab. Anything else is told as that, with a way out that works however the program was
// found; and whoever interrupts is told nothing of the program.
func TestAskLab(t *testing.T) {
	for name, c := range map[string]struct {
		script, says string
		interrupt    bool
	}{
		"a lab":           {script: `echo '{"version": "devel", "minors": ["1.36"]}'`},
		"kiban itself":    {script: `echo '{"version": "devel", "modules": []}'`, says: "names no release of Kubernetes"},
		"silent":          {script: "", says: "unexpected end of JSON input"},
		"another program": {script: "echo unknown option >&2; exit 2", says: "unknown option"},
		"one that hangs":  {script: "exec sleep 60", says: "it did not answer"},
		"interrupted":     {script: "exec sleep 60", interrupt: true},
	} {
		program := filepath.Join(t.TempDir(), "lab")
		if err := os.WriteFile(program, []byte("#!/bin/sh\n"+c.script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		limit := time.Minute
		if c.interrupt {
			cancel(errors.New("interrupted"))
		} else if strings.Contains(c.script, "sleep") {
			limit = 200 * time.Millisecond
		}
		v, err := askLab(ctx, program, limit)
		cancel(nil)
		switch {
		case c.interrupt:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		case c.says == "":
			if err != nil || len(v.Minors) != 1 {
				t.Errorf("%s: %+v, %v", name, v, err)
			}
		default:
			ds := lifecycle.AsDiagnostics(err, "?")
			if len(ds) != 1 || !strings.Contains(ds[0].Detail, c.says) || !strings.Contains(ds[0].Hint, "KIBAN_LAB=/path/to/kiban-lab") {
				t.Errorf("%s: %+v", name, ds)
			}
		}
	}
}
