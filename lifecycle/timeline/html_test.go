package timeline

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

func toldRecord(t *testing.T) lifecycle.RunRecord {
	v135, v136 := rendertest.Version(t, "v1.35.7+k0s.0"), rendertest.Version(t, "v1.36.3+k0s.2")
	return lifecycle.RunRecord{Format: lifecycle.RunFormat, ID: "20261121-220000-abcdef", Site: "tokyo-prod", Who: "ann", Where: "laptop",
		Revision: "3f2a1c9d5e6f708192a3b4c5d6e7f8091a2b3c4d", Began: rendertest.At(0), Ended: rendertest.At(60),
		Result: lifecycle.RunFailed, Before: []lifecycle.Version{v135}, After: []lifecycle.Version{v135, v136}, Steps: 14, Begun: 12, Done: 11,
		Failed: 1, Machines: 4}
}

func pageOf(t *testing.T, r lifecycle.RunRecord, events []lifecycle.Event) string {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, r, events); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestHTML(t *testing.T) {
	got := pageOf(t, toldRecord(t), told(t))
	golden(t, "run.html", got)
	if again := pageOf(t, toldRecord(t), told(t)); again != got {
		t.Error("the same run gave another page")
	}
	wellFormed(t, got)
	for _, want := range []string{"worker-3 could not be drained", "Try: kubectl -n shop get pdb web", "prefers-color-scheme:dark",
		`class="b fail"`, `class="hatch"`, `class="limit"`, "✗ failed"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	var b bytes.Buffer
	if err := Markdown(&b, toldRecord(t), told(t)); err != nil {
		t.Fatal(err)
	}
	golden(t, "run.md", b.String())
}

// A page must need nothing but itself, whatever is in it: no address that a browser would fetch, no script.
func TestHTMLAsksNobody(t *testing.T) {
	got := pageOf(t, toldRecord(t), told(t))
	for _, no := range []string{"<script", "<link", "<img", "<iframe", "src=", "@import", "http://", "https://"} {
		if strings.Contains(got, no) {
			t.Errorf("the page has %q", no)
		}
	}
	if refs := regexp.MustCompile(`href="([^"]*)"|url\(([^)]*)\)`).FindAllStringSubmatch(got, -1); len(refs) == 0 {
		t.Error("not even references within the page were found")
	} else {
		for _, m := range refs {
			if !strings.HasPrefix(m[1]+m[2], "#") {
				t.Errorf("it refers to %s", m[0])
			}
		}
	}
}

// Whatever hosts and people wrote stays text.
func TestHTMLEscapesEverything(t *testing.T) {
	const evil = "</title></text></td><script>alert(1)</script><b onmouseover=\"x\" 'y' & \x00\x1b[31m\xff"
	d := lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: evil, Detail: evil, Hint: evil, Subject: evil}
	header := &lifecycle.RunHeader{Who: evil, Where: evil, Revision: evil, Hosts: []lifecycle.RunHost{{Name: evil}},
		Stages: []lifecycle.Stage{{ID: evil, Title: evil, Width: 1}}}
	var events []lifecycle.Event
	for i, k := range []lifecycle.EventKind{lifecycle.EventBegun, lifecycle.EventPlanned, lifecycle.EventWaiting, lifecycle.EventStarted,
		lifecycle.EventProgress, lifecycle.EventWaiting, lifecycle.EventFailed, lifecycle.EventSummary} {
		e := lifecycle.Event{Time: rendertest.At(i * 10), Run: evil, Site: evil, Kind: k, Step: evil, Stage: evil, Target: evil, Action: evil,
			Message: evil, Detail: evil, Disrupts: true}
		switch k {
		case lifecycle.EventBegun:
			e.Header = header
		case lifecycle.EventFailed:
			e.Diagnostic = &d
		case lifecycle.EventSummary:
			e.Step = ""
		}
		events = append(events, e)
	}
	idle := events[1]
	idle.Step, idle.Target = evil+"2", evil+"2"
	events = append(events[:2:2], append([]lifecycle.Event{idle}, events[2:]...)...)
	r := lifecycle.RunRecord{ID: evil, Site: evil, Who: evil, Where: evil, Revision: evil, Result: evil, Began: rendertest.At(0),
		Ended: rendertest.At(70), Steps: 2}
	got := pageOf(t, r, events)
	wellFormed(t, got)
	for _, no := range []string{"<script", "<b onmouseover", "\x00", "\x1b", "\xff"} {
		if strings.Contains(got, no) {
			t.Errorf("the page has %q", no)
		}
	}
	if n := strings.Count(got, "&lt;script&gt;"); n < 20 {
		t.Errorf("the text itself is there %d times only", n)
	}
	var md bytes.Buffer
	if err := Markdown(&md, r, events); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(md.String(), "<script") {
		t.Errorf("markdown has it as it is:\n%s", md.String())
	}
}

// wellFormed reads the page as XML, which it is too.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Entity = xml.HTMLEntity
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			line, _ := d.InputPos()
			t.Fatalf("not well formed: %v\n%s", err, strings.Split(page, "\n")[min(line, strings.Count(page, "\n"))-1])
		}
	}
}

func TestTicks(t *testing.T) {
	for length, want := range map[time.Duration]time.Duration{0: time.Second, sec(9): time.Second, sec(62): 5 * time.Second,
		10 * time.Minute: time.Minute, 3 * time.Hour: 15 * time.Minute, 50 * time.Hour: 6 * time.Hour, 240 * time.Hour: 48 * time.Hour} {
		got := tickStep(length)
		if got != want {
			t.Errorf("%s: every %s, want %s", length, got, want)
		}
		if n := length / got; n > 13 {
			t.Errorf("%s: %d ticks", length, n)
		}
	}
}

// However many machines and however short the time: every bar lies in the picture, and the picture is drawn.
func TestPictureOfManyMachinesAndShortSteps(t *testing.T) {
	var events []lifecycle.Event
	for i := range 300 {
		name := fmt.Sprintf("worker-%d.rack-7.a-rather-long-name.example.org", i)
		for _, k := range []lifecycle.EventKind{lifecycle.EventPlanned, lifecycle.EventStarted, lifecycle.EventFinished} {
			events = append(events, rendertest.On(0, k, "workers", name, lifecycle.ActionUpgrade, ""))
		}
	}
	for _, end := range []time.Time{rendertest.At(0), rendertest.At(86400)} {
		last := rendertest.On(0, lifecycle.EventSummary, "", "", "", "done")
		last.Time = end
		got := pageOf(t, lifecycle.RunRecord{Site: "x", Result: lifecycle.RunDone, Steps: 300, Done: 300}, append(events, last))
		wellFormed(t, got)
		if strings.Contains(got, "NaN") || strings.Contains(got, "Inf") || strings.Contains(got, `="-`) {
			t.Error("a number that is none, or lies outside of the picture")
		}
		if n := strings.Count(got, `class="b upgr"`); n != 300 {
			t.Errorf("%d bars, want 300", n)
		}
	}
}

// Every action has a colour that the page's style knows.
func TestEveryActionHasAColour(t *testing.T) {
	for _, a := range append(lifecycle.Actions(), "fly") {
		if c := colour(a); c == "" || !strings.Contains(pageStyle, "."+c+"{") {
			t.Errorf("%s: the style has no class %q", a, c)
		}
	}
}
