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

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

func stripANSI(s string) string { return ansi.ReplaceAllString(s, "") }

func TestPlain(t *testing.T) {
	var b bytes.Buffer
	play(t, Plain(&b, Style{}))
	golden(t, "plain.txt", b.String())
}

func TestGitLab(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	play(t, GitLab(w, rendertest.StoryPlan(), w.Style(false)))
	golden(t, "gitlab.txt", b.String())
	starts, ends := strings.Count(b.String(), "section_start:"), strings.Count(b.String(), "section_end:")
	if starts != 2 || ends != 2 {
		t.Errorf("%d sections begin, %d end; want 2 and 2", starts, ends)
	}
}

func play(t *testing.T, sink lifecycle.Sink) {
	t.Helper()
	for _, e := range rendertest.Story() {
		if err := sink(e); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLiveModel shows what a terminal shows after each event: final lines with "|", the changing part with ">".
func TestLiveModel(t *testing.T) {
	m := newLiveModel(titlesOf(rendertest.StoryPlan()), rendertest.StoryPlan().Estimate, Style{})
	var b strings.Builder
	for _, e := range rendertest.Story() {
		m.apply(e)
		if e.Kind == lifecycle.EventPlanned {
			continue
		}
		fmt.Fprintf(&b, "-- %s %s %s\n", clock(e.Time.Sub(rendertest.At(0))), e.Kind, e.Step)
		for _, l := range m.take(100) {
			b.WriteString("| " + l + "\n")
		}
		for _, l := range m.lines(e.Time.Add(time.Second), 100, 24) {
			b.WriteString("> " + l + "\n")
		}
	}
	golden(t, "live.txt", b.String())
}

// TestLiveLeavesTheFinalLines draws a whole run and looks at what a terminal would have in the end.
func TestLiveLeavesTheFinalLines(t *testing.T) {
	var screen terminal
	w := NewWriter(&screen)
	v := Live(w, func() (int, int) { return 80, 24 }, rendertest.StoryPlan(), w.Style(false))
	v.now = func() time.Time { return rendertest.At(60) }
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
