package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestModuleFolders(t *testing.T) {
	got, err := moduleFolders([]byte(`{
		"Require": [
			{"Path": "github.com/BurntSushi/toml", "Version": "v1.6.0"},
			{"Path": "example.com/forked", "Version": "v1.0.0"},
			{"Path": "example.com/local", "Version": "v1.0.0"},
			{"Path": "k8s.io/api", "Version": "v0.37.2-RC.1"}
		],
		"Replace": [
			{"Old": {"Path": "example.com/forked"}, "New": {"Path": "example.com/fork", "Version": "v1.0.1"}},
			{"Old": {"Path": "example.com/local"}, "New": {"Path": "./local"}}
		]}`))
	want := []string{"github.com/!burnt!sushi/toml@v1.6.0", "example.com/fork@v1.0.1", "k8s.io/api@v0.37.2-!r!c.1"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestIsPackage(t *testing.T) {
	for line, want := range map[string]bool{
		"unsafe": true, "k8s.io/client-go/kubernetes/typed/core/v1": true, "vendor/golang.org/x/net/idna": true, "gopkg.in/yaml.v2": true,
		"# kiban.dev/kiban/lifecycle": false, "go: downloading k8s.io/api v0.37.2": false, "lifecycle/plan.go:3:1: syntax error": false,
		"":                       false,
		"\tfound something else": false,
	} {
		if got := isPackage(line); got != want {
			t.Errorf("%q: got %v, want %v", line, got, want)
		}
	}
}

// A build with little to do passes on what go says, and nothing else.
func TestLittleToDoIsSilent(t *testing.T) {
	var out strings.Builder
	b := &builder{ctx: t.Context(), tell: newTeller(&out, false)}
	b.follow(strings.NewReader("kiban.dev/kiban/lifecycle\nkiban.dev/kiban/cmd/kiban\n# kiban.dev/kiban/cmd/kiban\n" +
		"cmd/kiban/app.go:9:2: undefined: x\n"))
	b.tell.done(time.Second)
	if want := "# kiban.dev/kiban/cmd/kiban\ncmd/kiban/app.go:9:2: undefined: x\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// A build with much to do counts it when packages of others come one after another, and tells how far it is.
func TestMuchToDoIsCounted(t *testing.T) {
	var out strings.Builder
	clock := time.Unix(0, 0)
	tell := newTeller(&out, false)
	tell.now = func() time.Time { return clock }
	b := &builder{ctx: t.Context(), tell: tell} // no targets: what there is to do is what was seen
	var lines strings.Builder
	for i := range manyPackages {
		lines.WriteString("example.com/" + strings.Repeat("a", i+1) + "\n")
	}
	b.follow(strings.NewReader(lines.String()))
	if got := out.String(); !strings.HasPrefix(got, "30 packages are to be compiled") ||
		!strings.HasSuffix(got, "compiled 30 of 30 packages, linking\n") {
		t.Errorf("got %q", got)
	}
}

func TestProgress(t *testing.T) {
	told := func(terminal bool) string {
		var out strings.Builder
		clock := time.Unix(0, 0)
		tell := newTeller(&out, terminal)
		tell.now = func() time.Time { return clock }
		tell.total, tell.from = 1830, clock.Add(-time.Minute)
		for _, n := range []int{1, 412, 413, 1830} {
			clock = clock.Add(logEvery)
			if n == 413 {
				clock = clock.Add(time.Millisecond - logEvery)
			}
			tell.compiled(n)
		}
		tell.compiled(1830)
		tell.pass("a message")
		tell.done(90 * time.Second)
		return out.String()
	}
	if got, want := told(false), "compiled 1 of 1,830 packages\ncompiled 412 of 1,830 packages, about 5 minutes to go\n"+
		"compiled 1,830 of 1,830 packages, linking\na message\nbuilt in 1m30s\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	want := "\r\x1b[Kcompiled 1 of 1,830 packages\r\x1b[Kcompiled 412 of 1,830 packages, about 5 minutes to go" +
		"\r\x1b[Kcompiled 1,830 of 1,830 packages, linking\na message\nbuilt in 1m30s\n"
	if got := told(true); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		10 * time.Second: "less than a minute", 70 * time.Second: "about a minute", 5*time.Minute + 40*time.Second: "about 6 minutes",
	} {
		if got := roughly(d); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
	if got := grouped(1234567) + " " + grouped(12) + " " + grouped(123); got != "1,234,567 12 123" {
		t.Errorf("got %q", got)
	}
}

func TestChoose(t *testing.T) {
	if got, err := choose([]string{"kiban-lab"}); err != nil || len(got) != 1 || got[0].dir != "lab" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, names := range [][]string{nil, {"kiban", "other"}} {
		if got, err := choose(names); err == nil {
			t.Errorf("%q: got %v, want an error", names, got)
		}
	}
}
