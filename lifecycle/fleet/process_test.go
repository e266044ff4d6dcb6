package fleet

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// processOf is a kiban whose body is a shell script: $RESULT is where it says how it ended.
func processOf(t *testing.T, body string) Process {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "kiban")
	script := "#!/bin/sh\nwhile [ $# -gt 0 ]; do [ \"$1\" = --result ] && RESULT=$2; shift; done\n" + body + "\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return Process{Program: program, Fleet: dir, Dir: filepath.Join(dir, "out")}
}

const says = `echo "{\"format\":\"1.0\",\"site\":\"$SITE\",\"kind\":\"$KIND\",\"message\":\"6 of 6\"}" >"$RESULT"`

func TestProcess(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		kind       lifecycle.OutcomeKind
		message    string
	}{
		{"done", "SITE=a KIND=done; echo went well; " + says, lifecycle.OutcomeDone, "6 of 6"},
		{"blocked", "SITE=a KIND=blocked; " + says + "; exit 3", lifecycle.OutcomeBlocked, "6 of 6"},
		{"it left no word", "exit 7", lifecycle.OutcomeFailed, "exit code 7"},
		{"what it left is cut off", `echo '{"format":' >"$RESULT"; exit 1`, lifecycle.OutcomeFailed, "exit code 1"},
		{"it speaks of another site", "SITE=b KIND=done; " + says, lifecycle.OutcomeFailed, "left no word"},
	} {
		p := processOf(t, tt.body)
		if err := os.MkdirAll(p.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		old := []byte(`{"format":"1.0","site":"a","kind":"done","message":"of an earlier run"}`)
		if err := os.WriteFile(filepath.Join(p.Dir, "a.json"), old, 0o600); err != nil {
			t.Fatal(err)
		}
		o := p.Apply(t.Context(), nil, "a")
		if o.Kind != tt.kind || !strings.Contains(o.Message, tt.message) || o.Site != "a" {
			t.Errorf("%s: %+v", tt.name, o)
		}
	}
	p := processOf(t, "SITE=a KIND=done; echo went well; "+says)
	p.Apply(t.Context(), nil, "a")
	if b, err := os.ReadFile(p.Log("a")); err != nil || string(b) != "went well\n" {
		t.Errorf("log: %q, %v", b, err)
	}
}

// Asked to stop it is interrupted once, and goes on to its end; when the context ends, twice.
func TestProcessStops(t *testing.T) {
	const body = `n=0; trap 'n=$((n+1))' INT; touch "$(dirname "$RESULT")/up"
i=0; while [ $n -lt $WANT ] && [ $i -lt 600 ]; do sleep 0.05; i=$((i+1)); done
SITE=a KIND=interrupted; echo "$n"; `
	up := func(p Process) {
		for range 600 {
			if _, err := os.Stat(filepath.Join(p.Dir, "up")); err == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	p := processOf(t, "WANT=1; "+body+says)
	stop := make(chan struct{})
	go func() { up(p); close(stop) }()
	if o := p.Apply(t.Context(), stop, "a"); o.Kind != lifecycle.OutcomeInterrupted {
		t.Errorf("stopped: %+v", o)
	}
	p = processOf(t, "WANT=2; "+body+says)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { up(p); cancel() }()
	if o := p.Apply(ctx, nil, "a"); o.Kind != lifecycle.OutcomeInterrupted {
		t.Errorf("ended: %+v", o)
	}
}
