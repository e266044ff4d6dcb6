package k0s

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestA1_AFakeHostSaysNoEnd: a machine that answers without end, with one endless line, or beside the point is found out within seconds and
// with little memory, whatever it was asked; it is a finding, and the other machines are as they were.
func TestA1_AFakeHostSaysNoEnd(t *testing.T) {
	talk := func(w io.Writer, piece string) {
		for piece := []byte(strings.Repeat(piece, 1+64<<10/len(piece))); ; {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}
	for name, c := range map[string]struct {
		says func(stdout, stderr io.Writer)
		want string // in the finding
	}{
		"one line without end":   {func(out, _ io.Writer) { talk(out, "x") }, "more than 4194304 bytes"},
		"lines without end":      {func(out, _ io.Writer) { talk(out, "a=b\n") }, "more than 4194304 bytes"},
		"errors without end":     {func(_, err io.Writer) { talk(err, "no\n") }, ""},
		"a line of 4 MiB":        {func(out, _ io.Writer) { _, _ = out.Write(bytes.Repeat([]byte("x"), maxAnswer)) }, "not with facts"},
		"nothing":                {func(_, _ io.Writer) {}, "not with facts"},
		"escape sequences":       {func(out, _ io.Writer) { _, _ = io.WriteString(out, "\x1b[2J\x1b]0;x\a") }, "not with facts"},
		"another answer's frame": {func(out, _ io.Writer) { _, _ = out.Write(said("hostname=x")) }, "not with facts"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFarm(t, "c1", "w1")
			f.fakes["c1"].says = c.says
			s := f.open(v135)
			within := time.Minute
			if c.want == "" { // dropped as it comes, until the time that a host has
				s.machines[0].host.Name = "c1"
				got, _ := s.machines[0].askFacts(t.Context(), time.Second)
				if got.host.Reached() {
					t.Errorf("got %+v", got.host)
				}
				return
			}
			began := time.Now()
			got, err := s.Facts(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if h := got.Hosts[0]; h.Problem != lifecycle.HostFacts || !strings.Contains(h.Why, c.want) ||
				strings.ContainsFunc(h.Why, lifecycle.Misleads) {
				t.Errorf("got %+v", h)
			}
			if !got.Hosts[1].Reached() || !got.Credentials.IsZero() {
				t.Errorf("the others: %+v", got)
			}
			if took := time.Since(began); took > within {
				t.Errorf("it took %s to find out", took)
			}
			if _, err := s.HostLock("c1").ReadLock(t.Context()); err == nil {
				t.Error("it told of a lock")
			}
			var m runtime.MemStats
			runtime.GC()
			if runtime.ReadMemStats(&m); m.HeapAlloc > 256<<20 {
				t.Errorf("%d MiB are kept", m.HeapAlloc>>20)
			}
		})
	}
}

// TestAnswersAreBounded: of what a command says, as much is kept as there is room for, and whoever waits is told once.
func TestAnswersAreBounded(t *testing.T) {
	var b bytes.Buffer
	told := 0
	w := capWriter(&b, 5, func() { told++ })
	for _, part := range []string{"abc", "de", "f", "ghi"} {
		if n, err := io.WriteString(w, part); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if b.String() != "abcde" || told != 1 {
		t.Errorf("kept %q, told %d times", b.String(), told)
	}
	if capWriter(nil, 5, nil) != nil {
		t.Error("where nothing is kept, nothing is to be bounded")
	}
	ctx, enough := context.WithCancelCause(t.Context())
	if err := endless(ctx); err != nil {
		t.Errorf("an answer within its bounds: %v", err)
	}
	if enough(tooMuch{"a backup"}); endless(ctx) == nil {
		t.Error("an answer that passed a bound ended well")
	}
	var said int
	l := &lines{say: func(string) { said++ }}
	for range 3 * mostLines {
		_, _ = io.WriteString(l, "x\n")
	}
	if said != mostLines {
		t.Errorf("%d lines were handed on", said)
	}
}
