package timeline

import (
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                      "plain",
		"run `k0s reset` & wait":     "run <code>k0s reset</code> &amp; wait",
		"`a` and `<b>`":              "<code>a</code> and <code>&lt;b&gt;</code>",
		"one ` alone":                "one ` alone",
		"`two\nlines` are no code":   "`two\nlines` are no code",
		"a`b`c":                      "a<code>b</code>c",
		"`<script>alert(1)</script>": "`&lt;script&gt;alert(1)&lt;/script&gt;",
	} {
		if got := string(words(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// A log keeps its lines and its blanks, in letters of one width; what is said around it is text.
func TestLogsAreQuoted(t *testing.T) {
	var p page
	p.paragraphs("It does not start.\nThe last lines of the log of k0s on worker-1:\n" +
		"  10:00 level=error  msg=\"x\"\n    10:01 <b>\nThen this.")
	want := "<p>It does not start.\nThe last lines of the log of k0s on worker-1:</p>" +
		"<pre class=\"log\">10:00 level=error  msg=&#34;x&#34;\n  10:01 &lt;b&gt;</pre><p>Then this.</p>"
	if got := p.b.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Nothing on a page shows a backtick that stands for code, and a stage's number is no count of what it is about.
func TestPageShowsNoTicks(t *testing.T) {
	d := lifecycle.Errorf("worker-1", "`k0s status` does not answer").Because("Look at `journalctl`.\n  a line").Try("Run `kiban plan lab`.")
	at := func(sec int, kind lifecycle.EventKind, message string) lifecycle.Event {
		e := rendertest.On(0, kind, "w", "worker-1", lifecycle.ActionUpgrade, message)
		e.Time = rendertest.At(sec)
		return e
	}
	begun := lifecycle.Event{Time: rendertest.At(0), Kind: lifecycle.EventBegun,
		Header: &lifecycle.RunHeader{Stages: []lifecycle.Stage{{ID: "w", Title: "workers to v1.36.3+k0s.2", Width: 1}}}}
	failed := at(60, lifecycle.EventFailed, "`k0s` failed")
	failed.Diagnostic = &d
	events := []lifecycle.Event{begun, at(0, lifecycle.EventPlanned, "`x` differs"), at(1, lifecycle.EventStarted, ""),
		at(2, lifecycle.EventWaiting, "`k0s status` answers"), failed}
	got := pageOf(t, lifecycle.RunRecord{Site: "lab", Result: lifecycle.RunFailed, Steps: 1, Ended: rendertest.At(60), Began: rendertest.At(0),
		Took: []lifecycle.Took{{Total: time.Second}}}, events)
	wellFormed(t, got)
	if strings.Contains(got, "`") {
		t.Errorf("the page shows backticks:\n%s", got[strings.Index(got, "`")-60:])
	}
	for _, want := range []string{"<code>worker-1</code>: <code>k0s status</code> does not answer", ">1. workers to v1.36.3+k0s.2<",
		"<pre class=\"log\">a line</pre>"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q", want)
		}
	}
}
