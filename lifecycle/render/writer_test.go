package render

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// onTerminal shows on a terminal with colours.
func onTerminal(w io.Writer, show func(*Writer, Style) error) error {
	clean := NewWriter(w)
	return errors.Join(show(clean, clean.Style(true)), clean.Flush())
}

// TestWriterLetsNothingSteer: what came from elsewhere has no way to a terminal but as text, and kiban's own styling has.
func TestWriterLetsNothingSteer(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	own := w.Style(true)
	other := NewWriter(io.Discard).Style(true)
	for text, want := range map[string]string{
		"基盤 naïve\n\tx":                                "基盤 naïve\n\tx",
		"\x1b[2J\x1b]0;owned\a\u009b31m\u202e\u200b\r": "[2J]0;owned31m",
		"\x1b[31mred\x1b[0m":                           "[31mred[0m",
		"\x1b[0Ksection_start:1:x\r\x1b[0K":            "[0Ksection_start:1:x[0K",
		own.paint(codeRed, "a\x1b[2Jb"):                "\x1b[31ma[2Jb\x1b[0m",
		own.raw("\x1b[3A\r\x1b[J") + "up":              "\x1b[3A\r\x1b[Jup",
		"\xff" + own.paint(codeRed, "x") + "\xfe":      "\ufffd\x1b[31mx\x1b[0m\ufffd",
		"a\xe2\x80b\xff\xfec":                          "a\ufffd\ufffdb\ufffd\ufffdc",
		"\xff" + strings.Repeat("A", 26) + "\x1b[31m":  "\ufffd" + strings.Repeat("A", 26) + "[31m",
	} {
		b.Reset()
		if n, err := io.WriteString(w, text); err != nil || n != len(text) {
			t.Fatal(n, err)
		}
		if err := w.Flush(); err != nil || b.String() != want {
			t.Errorf("%q: got %q, want %q (%v)", text, b.String(), want, err)
		}
	}
	b.Reset()
	if _, err := io.WriteString(w, other.paint(codeRed, "x")); err != nil || strings.Contains(b.String(), "\x1b") {
		t.Errorf("another writer's mark was taken: %q", b.String())
	}
	if plain := (Style{}).paint(codeRed, "x") + (Style{}).raw("\x1b[A") + w.Style(false).paint(codeRed, "x"); plain != "xx" {
		t.Errorf("a style without colours writes %q", plain)
	}
}

// TestWriterAcrossWrites: wherever a text is cut, the whole is the same.
func TestWriterAcrossWrites(t *testing.T) {
	var whole, cut bytes.Buffer
	w := NewWriter(&whole)
	text := "基\x1b[2J盤\u202e\u009b" + w.Style(true).paint(codeGreen, "done\x1b[") + "\xff\xe2\x80 \U000e0041 end\xe5\x9f"
	if _, err := io.WriteString(w, text); err != nil || w.Flush() != nil {
		t.Fatal(err)
	}
	if got, want := whole.String(), "基[2J盤\x1b[32mdone[\x1b[0m\ufffd\ufffd\ufffd  end\ufffd\ufffd"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for i := range len(text) {
		cut.Reset()
		w.w = &cut
		for _, part := range []string{text[:i], "", text[i:]} {
			if n, err := io.WriteString(w, part); err != nil || n != len(part) {
				t.Fatal(n, err)
			}
		}
		if err := w.Flush(); err != nil || cut.String() != whole.String() {
			t.Fatalf("cut at %d: got %q, want %q", i, cut.String(), whole.String())
		}
	}
	cut.Reset()
	for _, c := range []byte(text) {
		if _, err := w.Write([]byte{c}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil || cut.String() != whole.String() {
		t.Errorf("byte by byte: got %q, want %q", cut.String(), whole.String())
	}
}

// TestWriterHoldsLittleBack: text is there when its write ends, and a mark that never ends is text.
func TestWriterHoldsLittleBack(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	fmt.Fprint(w, "Type the site's name: ")
	if b.String() != "Type the site's name: " {
		t.Errorf("a question is held back: %q", b.String())
	}
	b.Reset()
	open, _, _ := strings.Cut(w.Style(true).raw("x"), "x")
	fmt.Fprint(w, open+strings.Repeat("y", longestMark))
	if !strings.HasSuffix(b.String(), "yyy") {
		t.Errorf("held back: %q", b.String())
	}
	broken := errors.New("broken")
	if _, err := NewWriter(failingWriter{broken}).Write([]byte("x")); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }

// TestWriterIsShared: lines of several goroutines stay whole.
func TestWriterIsShared(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 100 {
				fmt.Fprintln(w, w.Style(true).paint(codeBold, "盤"))
			}
		})
	}
	wait.Wait()
	if got, want := b.String(), strings.Repeat("\x1b[1m盤\x1b[0m\n", 800); got != want {
		t.Error("lines were mixed")
	}
}

// TestDiagnosticsSteerNoTerminal: findings repeat what machines and servers said, which may be anything.
func TestDiagnosticsSteerNoTerminal(t *testing.T) {
	hostile := "\x1b[2Jgone\a\r\u009b31m"
	var b bytes.Buffer
	ds := lifecycle.Diagnostics{lifecycle.Errorf(hostile, "%s", hostile).Because(hostile + "\n\tnext").Try(hostile)}
	if err := Diagnostics(NewWriter(&b), ds, Style{}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "Error: [2Jgone31m\n  on [2Jgone31m\n  [2Jgone31m\n  \tnext\n  Try: [2Jgone31m\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
