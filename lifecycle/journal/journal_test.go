package journal

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func event(kind lifecycle.EventKind, step string) lifecycle.Event {
	return lifecycle.Event{
		Format: lifecycle.EventFormat, Time: time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC), Run: "r1", Site: "lab",
		Kind: kind, Step: step, Message: "line one\nline two",
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs", "lab", "r1.jsonl")
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []lifecycle.Event{event(lifecycle.EventPlanned, "a"), event(lifecycle.EventStarted, "a"), event(lifecycle.EventSummary, "")}
	for _, e := range want {
		if err := j.Sink(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode().Perm())
	}
}

func TestTornLineCostsOneEventOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.jsonl")
	whole, err := json.Marshal(event(lifecycle.EventStarted, "a"))
	if err != nil {
		t.Fatal(err)
	}
	// Every length that a killed write can have left.
	for cut := 1; cut < len(whole); cut += 7 {
		if err := os.WriteFile(path, append(append(bytes.Clone(whole), '\n'), whole[:cut]...), 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Sink(event(lifecycle.EventFinished, "a")); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 2 || got[1].Kind != lifecycle.EventFinished {
			t.Errorf("cut %d: got %+v, want the first and the new event", cut, got)
		}
	}
}

func TestAnotherMajorIsRefused(t *testing.T) {
	if _, err := parse([]byte(`{"format":"2.0","kind":"started"}` + "\n")); err == nil {
		t.Error("format 2.0 was read as 1.0")
	}
}

func TestConcurrentEventsKeepTheirLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.jsonl")
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if err := j.Sink(event(lifecycle.EventProgress, "a")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil || len(got) != 160 {
		t.Errorf("got %d events, %v; want 160", len(got), err)
	}
}

// FuzzParse holds that no bytes make the reader panic, and that what it accepts survives being written again.
func FuzzParse(f *testing.F) {
	whole, err := json.Marshal(event(lifecycle.EventStarted, "a"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(append(append(bytes.Clone(whole), '\n'), whole[:20]...))
	f.Add([]byte("{}\n[]\nnull\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		events, err := parse(b)
		if err != nil {
			return
		}
		var out []byte
		for _, e := range events {
			line, err := json.Marshal(e)
			if err != nil {
				t.Skip() // a time outside JSON's range
			}
			out = append(append(out, line...), '\n')
		}
		again, err := parse(out)
		if err != nil || len(again) != len(events) {
			t.Errorf("%d events became %d: %v", len(events), len(again), err)
		}
	})
}
