package render

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

// busy is a run in which two nodes wait: one for a gate, with a long reason, and one for a budget, within its drain.
func busy() *liveModel {
	plan := rendertest.StoryPlan()
	m := newLiveModel(titlesOf(plan), plan.Estimate, Style{})
	ready := rendertest.On(150, lifecycle.EventWaiting, "workers", "worker-1", lifecycle.ActionUpgrade, "node worker-1 Ready at v1.36.3+k0s")
	ready.Detail = "the kubelet says NetworkPluginNotReady: cni plugin not initialized; pod kube-system/kube-router-x8k2p is Pending"
	ready.Elapsed, ready.Within = 30*time.Second, 5*time.Minute
	drain := rendertest.On(31, lifecycle.EventStarted, "workers", "worker-2", lifecycle.ActionDrain, "its pods move away")
	drain.Within = 10 * time.Minute
	for _, e := range []lifecycle.Event{
		rendertest.On(0, lifecycle.EventPlanned, "workers", "worker-1", lifecycle.ActionDrain, "why"),
		rendertest.On(0, lifecycle.EventPlanned, "workers", "worker-1", lifecycle.ActionUpgrade, "why"),
		rendertest.On(0, lifecycle.EventPlanned, "workers", "worker-2", lifecycle.ActionDrain, "why"),
		rendertest.On(0, lifecycle.EventPlanned, "workers", "worker-3", lifecycle.ActionDrain, "why"),
		rendertest.On(30, lifecycle.EventStarted, "workers", "worker-1", lifecycle.ActionDrain, "its pods move away"),
		rendertest.On(41, lifecycle.EventFinished, "workers", "worker-1", lifecycle.ActionDrain, ""),
		rendertest.On(41, lifecycle.EventStarted, "workers", "worker-1", lifecycle.ActionUpgrade, "runs v1.35.7+k0s.0"),
		ready, drain,
		rendertest.On(160, lifecycle.EventProgress, "workers", "worker-2", lifecycle.ActionDrain,
			"pod shop/web-2 may not go yet: budget shop/web allows 0 disruptions, 3 of 3 pods are needed"),
	} {
		m.apply(e)
	}
	return m
}

// TestLiveAtEveryWidth: what is waited for, how long of how long, which step of how many, and who holds it up stand whole on a terminal of
// any width; no line is wider than it.
func TestLiveAtEveryWidth(t *testing.T) {
	var all strings.Builder
	words := ""
	for _, width := range []int{40, 60, 80, 120, 200} {
		lines := busy().lines(rendertest.At(170), width, 24)
		fmt.Fprintf(&all, "-- %d columns %s\n%s\n", width, strings.Repeat("-", width-len("-- 40 columns ")), strings.Join(lines, "\n"))
		for _, l := range lines {
			if n := columnsOf(l); n > width {
				t.Errorf("%d columns: a line has %d: %q", width, n, l)
			}
		}
		said := strings.Join(strings.Fields(strings.Join(lines, " ")), " ")
		if words == "" {
			words = said
		}
		if said != words {
			t.Errorf("%d columns: it says other words than a narrower one:\n%s\n%s", width, said, words)
		}
	}
	golden(t, "live_widths.txt", all.String())
	for _, want := range []string{"worker-1 2/2 upgrade", "waits 50s of 5m until node worker-1 Ready at v1.36.3+k0s: the kubelet says",
		"kube-router-x8k2p is Pending", "worker-2 1/1 drain 2m19s of 10m", "budget shop/web allows 0 disruptions",
		"[02:50] of about 12 min, 1 of 4 steps done; workers to v1.36.3+k0s.2: 0 done, 2 under way, 1 to come"} {
		if !strings.Contains(words, want) {
			t.Errorf("it does not say %q: %s", want, words)
		}
	}
}

// TestLiveAtAnySize: on a terminal of any size there are fewer lines than it has rows, for one is the cursor's, and none is wider.
func TestLiveAtAnySize(t *testing.T) {
	m := newLiveModel(nil, nil, Style{})
	for i := range 100 {
		target := fmt.Sprintf("worker-%d", i)
		m.apply(rendertest.On(0, lifecycle.EventPlanned, "workers", target, lifecycle.ActionDrain, ""))
		m.apply(rendertest.On(1+i, lifecycle.EventStarted, "workers", target, lifecycle.ActionDrain, ""))
		m.apply(rendertest.On(102, lifecycle.EventProgress, "workers", target, lifecycle.ActionDrain, strings.Repeat("é", 200)+" 基盤基盤"))
	}
	for _, width := range []int{2, 3, 5, 20, 40, 80, 200} {
		for _, height := range []int{2, 3, 5, 10, 24, 60, 1000} {
			lines := m.lines(rendertest.At(103), width, height)
			if len(lines) > height-1 {
				t.Errorf("%dx%d: %d lines", width, height, len(lines))
			}
			for _, l := range lines {
				if n := columnsOf(l); n > width {
					t.Errorf("%dx%d: a line of %d columns: %s", width, height, n, l)
				}
			}
		}
	}
	last := m.lines(rendertest.At(103), 80, 10)[7]
	if want := "  and 93 more under way, longest worker-7: drain 1m35s"; last != want {
		t.Errorf("for those that do not fit it says %q, want %q", last, want)
	}
}

// TestLiveWhenResized: a terminal that is made narrower breaks the lines that it shows, and the next drawing takes all of their rows away.
func TestLiveWhenResized(t *testing.T) {
	for _, c := range []struct {
		columns []int
		width   int
		rows    int
	}{
		{nil, 80, 0},
		{[]int{80, 80, 12}, 80, 3},
		{[]int{80, 80, 12}, 120, 3},
		{[]int{80, 79, 41, 40, 0}, 40, 8},
		{[]int{80}, 0, 1},
	} {
		if got := rowsOf(c.columns, c.width); got != c.rows {
			t.Errorf("%v at %d columns: %d rows, want %d", c.columns, c.width, got, c.rows)
		}
	}
	var b strings.Builder
	w := NewWriter(&b)
	width := 80
	v := &LiveView{w: w, model: busy(), size: func() (int, int) { return width, 24 }}
	v.model.style = w.Style(false)
	v.draw(v.model.lines(rendertest.At(170), width, 24), width)
	before := len(v.drawn)
	width = 40
	b.Reset()
	v.draw(v.model.lines(rendertest.At(171), width, 24), width)
	var up int
	if _, err := fmt.Sscanf(b.String(), "\x1b[%dA", &up); err != nil || up <= before {
		t.Errorf("it goes %d rows up after %d lines at twice the width (%v)", up, before, err)
	}
}

func TestColumns(t *testing.T) {
	w := NewWriter(&strings.Builder{})
	for text, want := range map[string]int{"": 0, "worker-1": 8, "基盤": 4, "é": 1, "e\u0301": 1, w.Style(true).paint(codeRed, "failed"): 6,
		"\xff": 1} {
		if got := columnsOf(text); got != want {
			t.Errorf("%q has %d columns, want %d", text, got, want)
		}
	}
	for _, c := range []struct {
		line        string
		hang, width int
		want        []string
	}{
		{"  worker-1  2/2  waits", 4, 80, []string{"  worker-1  2/2  waits"}},
		{"  worker-1  2/2  waits", 4, 16, []string{"  worker-1  2/2", "    waits"}},
		{"  abcdefghij k", 2, 6, []string{"  abcd", "  efgh", "  ij k"}},
		{"基盤基盤", 0, 5, []string{"基盤", "基盤"}},
		{"a b", 9, 1, []string{"a", "b"}},
		{"any length", 4, 0, []string{"any length"}},
	} {
		if got := wrapColumns(c.line, c.hang, c.width); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%q at %d: %q, want %q", c.line, c.width, got, c.want)
		}
	}
}
