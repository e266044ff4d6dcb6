package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

// TestProgressAsEvents: with --progress json every line on stderr is one event, whatever is told there: the plan, the run, and what stopped
// it.
func TestProgressAsEvents(t *testing.T) {
	for _, verb := range [][]string{{"apply", "lab", "--yes"}, {"node", "drain", "lab", "worker-1", "--yes"}} {
		f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
		f.planners.Node = func(lifecycle.Site, lifecycle.State, lifecycle.NodeTask) lifecycle.Plan {
			return planOf("f", "worker-1/drain")
		}
		f.plans[0].Diagnostics = lifecycle.Diagnostics{lifecycle.Warnf("worker-1", "the disk is nearly full")}
		f.run = func(_ context.Context, _ lifecycle.Plan, run session.Run) error {
			e := lifecycle.Event{Format: lifecycle.EventFormat, Time: time.Now(), Run: run.ID, Kind: lifecycle.EventWaiting,
				Step: "worker-1/upgrade", Message: "node worker-1 Ready", Detail: "it is NotReady", Elapsed: time.Minute, Within: 5 * time.Minute}
			return errors.Join(run.Sink(e), lifecycle.Errorf("worker-1", "it did not come up").Try("Mend it."))
		}
		// A terminal changes nothing: no colours, nothing redrawn.
		r := f.kiban(t, t.TempDir(), func(s *Streams) { s.InTTY, s.OutTTY, s.ErrTTY = true, true, true }, append(verb, "--progress", "json")...)
		if r.code != exitFailed || r.out != "" {
			t.Errorf("%v: exit %d, %q", verb, r.code, r.out)
		}
		kinds := map[lifecycle.EventKind][]lifecycle.Event{}
		for line := range strings.Lines(r.err) {
			var e lifecycle.Event
			if err := json.Unmarshal([]byte(line), &e); err != nil || e.Format != lifecycle.EventFormat || e.Time.IsZero() {
				t.Fatalf("%v: not an event: %q (%v)", verb, line, err)
			}
			kinds[e.Kind] = append(kinds[e.Kind], e)
		}
		waits, found := kinds[lifecycle.EventWaiting], kinds[lifecycle.EventFinding]
		if len(waits) != 1 || waits[0].Elapsed != time.Minute || waits[0].Within != 5*time.Minute || waits[0].Detail != "it is NotReady" {
			t.Errorf("%v: waits %+v", verb, waits)
		}
		last := found[len(found)-1]
		if last.Diagnostic == nil || last.Diagnostic.Hint != "Mend it." || last.Message != "it did not come up" {
			t.Errorf("%v: findings %+v", verb, found)
		}
		if verb[0] == "apply" && (len(found) != 2 || found[0].Diagnostic.Subject != "worker-1") {
			t.Errorf("the plan's findings: %+v", found)
		}
		if !slices.ContainsFunc(kinds[lifecycle.EventNote], func(e lifecycle.Event) bool { return strings.HasPrefix(e.Message, "Run ") }) {
			t.Errorf("%v: notes %+v", verb, kinds[lifecycle.EventNote])
		}
	}
}

// TestProgressForms: a form that there is not is refused, plain redraws nothing, and where a program reads nobody is asked.
func TestProgressForms(t *testing.T) {
	terminal := func(s *Streams) { s.InTTY, s.OutTTY, s.ErrTTY, s.In = true, true, true, strings.NewReader("yes\n") }
	told := func(args ...string) (result, *fakeSite) {
		f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
		f.run = func(_ context.Context, _ lifecycle.Plan, run session.Run) error {
			e := lifecycle.Event{Format: lifecycle.EventFormat, Time: time.Now(), Run: run.ID, Kind: lifecycle.EventStarted,
				Step: "worker-1/upgrade", Target: "worker-1", Action: lifecycle.ActionUpgrade, Message: "because"}
			err := run.Sink(e)
			time.Sleep(250 * time.Millisecond) // the live view draws
			return err
		}
		return f.kiban(t, t.TempDir(), terminal, append([]string{"apply", "lab"}, args...)...), f
	}
	if r, f := told("--progress", "xml"); r.code != exitFailed || f.applied != nil ||
		!strings.Contains(r.err, "--progress xml is none of auto, plain, json") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	if r, f := told("--progress", "json"); r.code != exitFailed || f.applied != nil ||
		!strings.Contains(r.err, "nobody is asked to confirm it") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	const up = "A\r\x1b[J" // of the live view
	if r, _ := told("--progress", "plain"); r.code != 0 || strings.Contains(r.err, up) ||
		!strings.Contains(r.err, "worker-1/upgrade: begins: because") {
		t.Errorf("exit %d: %q", r.code, r.err)
	}
	if r, _ := told(); r.code != 0 || !strings.Contains(r.err, up) {
		t.Errorf("exit %d: %q", r.code, r.err)
	}
}

// TestWhatIsToldOfAnInterruptIsAnEvent: also what a signal has to say.
func TestWhatIsToldOfAnInterruptIsAnEvent(t *testing.T) {
	signals := make(chan os.Signal)
	f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
	f.run = func(_ context.Context, _ lifecycle.Plan, run session.Run) error {
		signals <- syscall.SIGINT
		<-run.Stop
		return nil
	}
	r := f.kiban(t, t.TempDir(), func(s *Streams) { s.Signals = signals }, "apply", "lab", "--yes", "--progress", "json")
	if !strings.Contains(r.err, `"kind":"note","message":"Interrupted: the steps in hand finish`) ||
		strings.Contains("\n"+r.err, "\nInterrupted") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
}

// TestStatusWatch looks again and again, redraws in place, and ends with an interrupt as if nothing had happened. What can't be looked at
// for once ends nothing.
func TestStatusWatch(t *testing.T) {
	signals := make(chan os.Signal)
	f := &fakeSite{state: lifecycle.State{Site: "lab", Hosts: []lifecycle.HostState{{Name: "controller-1"}, {Name: "worker-1"}}}}
	looks := 0
	f.observed = func() error {
		switch looks++; looks {
		case 2:
			return lifecycle.Errorf("lab", "the network is gone")
		case 4:
			signals <- syscall.SIGINT
			time.Sleep(200 * time.Millisecond) // it is heard by another goroutine
		}
		return nil
	}
	terminal := func(s *Streams) { s.OutTTY, s.ErrTTY, s.Signals = true, true, signals }
	r := f.kiban(t, t.TempDir(), terminal, "status", "lab", "--watch", "--interval", "1s")
	if r.code != 0 || looks != 4 {
		t.Errorf("exit %d after %d looks: %q", r.code, looks, r.err)
	}
	frames := strings.Split(r.out, "\x1b[H")
	if len(frames) != 4 || !strings.Contains(frames[1], "2 of 2 machines reached") || !strings.Contains(frames[2], "the network is gone") ||
		!strings.Contains(frames[3], "2 of 2 machines reached") {
		t.Errorf("%d frames: %q", len(frames)-1, frames)
	}
	for _, tt := range []struct {
		change func(*Streams)
		args   []string
		want   string
	}{
		{nil, []string{"--watch"}, "stdout is no terminal"},
		{terminal, []string{"--watch", "-o", "json"}, "--watch redraws text in place"},
		{terminal, []string{"--watch", "--interval", "1ms"}, "a second at least"},
		{func(s *Streams) {
			s.OutTTY, s.Getenv = true, func(name string) string { return map[string]string{"TERM": "dumb"}[name] }
		}, []string{"--watch"}, "stdout is no terminal that can"},
	} {
		if r := f.kiban(t, t.TempDir(), tt.change, append([]string{"status", "lab"}, tt.args...)...); r.code != exitFailed ||
			!strings.Contains(r.err, tt.want) || r.out != "" {
			t.Errorf("%v: exit %d, %q %q", tt.args, r.code, r.out, r.err)
		}
	}
}

// TestHelpOfEveryVerbFits: what is typed fits a terminal of 80 columns; help has no line that is wider than the terminal but for that.
func TestHelpOfEveryVerbFits(t *testing.T) {
	a := &app{Streams: Streams{Getenv: func(string) string { return "" }}, services: (&fakeSite{}).services()}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		m := manual(cmd)
		for _, e := range append(m.Examples, m.Usage) {
			if n := utf8.RuneCountInString("  " + e); n > 80 {
				t.Errorf("%s: what is typed has %d columns: %s", m.Name, n, e)
			}
		}
		for _, width := range []int{60, 80, 120, 200} {
			var b strings.Builder
			if err := render.Help(&b, m, width); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				line = strings.TrimRight(line, "\n")
				if n := utf8.RuneCountInString(line); n > width && !slices.Contains(append(m.Examples, m.Usage), strings.TrimSpace(line)) {
					t.Errorf("%s at %d columns: a line has %d: %s", m.Name, width, n, line)
				}
			}
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(newRoot(a))
}

// TestColumns: what is shown is as wide as the terminal, or as COLUMNS says where there is none.
func TestColumns(t *testing.T) {
	f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
	f.plans[0].Diagnostics = lifecycle.Diagnostics{lifecycle.Warnf("worker-1", "%s", strings.Repeat("the disk is nearly full, ", 12))}
	f.state = lifecycle.State{Site: "lab", Hosts: []lifecycle.HostState{{Name: "controller-1", Service: "running"}, {Name: "worker-1"}},
		API: lifecycle.APIState{Unknown: strings.Repeat("no way to it, ", 12)}}
	widest := func(change func(*Streams), args ...string) (n int) {
		for line := range strings.Lines(f.kiban(t, t.TempDir(), change, args...).out) {
			n = max(n, utf8.RuneCountInString(strings.TrimRight(line, "\n")))
		}
		return n
	}
	for _, verb := range [][]string{{"plan", "lab"}, {"status", "lab"}, {"node", "list", "lab"}, {"addons", "lab"}, {"runs", "lab"},
		{"help", "apply"}} {
		for _, width := range []int{60, 80, 120, 200} {
			columns := func(s *Streams) {
				s.Getenv = func(name string) string { return map[string]string{"COLUMNS": fmt.Sprint(width)}[name] }
			}
			terminal := func(s *Streams) {
				s.OutTTY, s.Size = true, func() (int, int) { return width, 24 }
				s.Getenv = func(name string) string { return map[string]string{"NO_COLOR": "1"}[name] }
			}
			for name, change := range map[string]func(*Streams){"COLUMNS": columns, "terminal": terminal} {
				if n := widest(change, verb...); n > width && !(verb[0] == "help" && width < 80) {
					t.Errorf("%v, %s %d: a line has %d columns", verb, name, width, n)
				}
			}
		}
	}
	if n := widest(nil, "plan", "lab"); n < 200 {
		t.Errorf("for a file, a finding is broken at %d columns", n)
	}
}
