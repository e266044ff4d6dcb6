package render

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"kiban.dev/kiban/lifecycle"
)

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

func stripANSI(s string) string { return ansi.ReplaceAllString(s, "") }

func at(seconds int) time.Time {
	return time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

func on(seconds int, kind lifecycle.EventKind, stage, target string, a lifecycle.Action, message string) lifecycle.Event {
	e := lifecycle.Event{Time: at(seconds), Run: "r", Site: "tokyo-prod", Kind: kind, Stage: stage, Target: target, Action: a, Message: message}
	if a != "" {
		e.Step = target + "/" + string(a)
	}
	return e
}

// story is a short run: one controller, then two workers side by side, of which one fails.
func story() []lifecycle.Event {
	finished := on(20, lifecycle.EventFinished, "controllers", "controller-1", lifecycle.ActionUpgrade, "")
	finished.Elapsed = 20 * time.Second
	drained := on(41, lifecycle.EventFinished, "workers", "worker-1", lifecycle.ActionDrain, "")
	drained.Elapsed = 11 * time.Second
	failed := on(50, lifecycle.EventFailed, "workers", "worker-2", lifecycle.ActionDrain, "the drain was not done in 10m")
	failed.Elapsed = 19 * time.Second
	waiting := on(45, lifecycle.EventWaiting, "workers", "worker-1", lifecycle.ActionUpgrade, "node worker-1 Ready at v1.36.3+k0s")
	waiting.Detail = "the heartbeat is\nolder than the service"
	summary := on(61, lifecycle.EventSummary, "", "", "", "3 of 6 steps done")
	summary.Elapsed = 61 * time.Second
	return []lifecycle.Event{
		on(0, lifecycle.EventPlanned, "controllers", "controller-1", lifecycle.ActionUpgrade, "why"),
		on(0, lifecycle.EventPlanned, "workers", "worker-1", lifecycle.ActionDrain, "why"),
		on(0, lifecycle.EventPlanned, "workers", "worker-1", lifecycle.ActionUpgrade, "why"),
		on(0, lifecycle.EventPlanned, "workers", "worker-2", lifecycle.ActionDrain, "why"),
		on(0, lifecycle.EventPlanned, "workers", "worker-3", lifecycle.ActionDrain, "why"),
		on(0, lifecycle.EventStarted, "controllers", "controller-1", lifecycle.ActionUpgrade, "runs v1.35.7+k0s.0"),
		finished,
		on(30, lifecycle.EventStarted, "workers", "worker-1", lifecycle.ActionDrain, "its pods move away"),
		on(31, lifecycle.EventStarted, "workers", "worker-2", lifecycle.ActionDrain, "its pods move away"),
		on(33, lifecycle.EventProgress, "workers", "worker-2", lifecycle.ActionDrain, "evicting pod shop/web-2"),
		drained,
		on(41, lifecycle.EventStarted, "workers", "worker-1", lifecycle.ActionUpgrade, "runs v1.35.7+k0s.0"),
		waiting,
		failed,
		on(60, lifecycle.EventSkipped, "workers", "worker-3", lifecycle.ActionDrain, "not begun"),
		summary,
	}
}

func titles() map[string]string {
	return map[string]string{"controllers": "controllers to v1.36.3+k0s.2", "workers": "workers to v1.36.3+k0s.2"}
}

func TestPlain(t *testing.T) {
	var b bytes.Buffer
	play(t, Plain(&b, Style{}))
	golden(t, "plain.txt", b.String())
}

func TestGitLab(t *testing.T) {
	var b bytes.Buffer
	play(t, GitLab(&b, titles(), Style{}))
	golden(t, "gitlab.txt", b.String())
	starts, ends := strings.Count(b.String(), "section_start:"), strings.Count(b.String(), "section_end:")
	if starts != 2 || ends != 2 {
		t.Errorf("%d sections begin, %d end; want 2 and 2", starts, ends)
	}
}

func play(t *testing.T, sink lifecycle.Sink) {
	t.Helper()
	for _, e := range story() {
		if err := sink(e); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLiveModel shows what a terminal shows after each event: final lines with "|", the changing part with ">".
func TestLiveModel(t *testing.T) {
	m := newLiveModel(titles(), Style{})
	var b strings.Builder
	for _, e := range story() {
		m.apply(e)
		if e.Kind == lifecycle.EventPlanned {
			continue
		}
		fmt.Fprintf(&b, "-- %s %s %s\n", clock(e.Time.Sub(at(0))), e.Kind, e.Step)
		for _, l := range m.take() {
			b.WriteString("| " + l + "\n")
		}
		for _, l := range m.lines(e.Time.Add(time.Second), 100, 24) {
			b.WriteString("> " + l + "\n")
		}
	}
	golden(t, "live.txt", b.String())
}

func TestLiveModelFitsTheTerminal(t *testing.T) {
	m := newLiveModel(nil, Style{})
	for i := range 100 {
		target := fmt.Sprintf("worker-%d", i)
		m.apply(on(0, lifecycle.EventPlanned, "workers", target, lifecycle.ActionDrain, ""))
		m.apply(on(1, lifecycle.EventStarted, "workers", target, lifecycle.ActionDrain, ""))
		m.apply(on(2, lifecycle.EventProgress, "workers", target, lifecycle.ActionDrain, strings.Repeat("é", 200)))
	}
	for _, size := range [][2]int{{80, 24}, {40, 10}, {20, 3}} {
		lines := m.lines(at(3), size[0], size[1])
		if len(lines) > size[1] {
			t.Errorf("%d lines on a terminal of %d", len(lines), size[1])
		}
		for _, l := range lines {
			if utf8.RuneCountInString(l) > size[0] {
				t.Errorf("a line of %d columns on a terminal of %d: %s", utf8.RuneCountInString(l), size[0], l)
			}
		}
	}
}

// TestLiveLeavesTheFinalLines draws a whole run and looks at what a terminal would have in the end.
func TestLiveLeavesTheFinalLines(t *testing.T) {
	var screen terminal
	v := Live(&screen, func() (int, int) { return 80, 24 }, titles(), Style{})
	v.now = func() time.Time { return at(60) }
	play(t, v.Sink)
	if _, err := io.WriteString(v, "Interrupted: the steps in hand finish.\n"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * redraw) // at least one drawing of the changing part, which must be gone after Close
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	golden(t, "live_end.txt", strings.Join(screen.lines, "\n")+"\n")
}

// terminal understands the two sequences that LiveView uses.
type terminal struct {
	mu    sync.Mutex
	lines []string
}

func (s *terminal) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := string(p)
	var up int
	if n, err := fmt.Sscanf(text, "\x1b[%dA\r\x1b[J", &up); err == nil && n == 1 {
		s.lines = s.lines[:len(s.lines)-up]
		_, text, _ = strings.Cut(text, "\x1b[J")
	}
	for line := range strings.Lines(text) {
		s.lines = append(s.lines, strings.TrimSuffix(line, "\n"))
	}
	return len(p), nil
}
