package render

import (
	"bytes"
	"crypto/rand"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"kiban.dev/kiban/lifecycle"
)

// Writer is the one way to people's screens, logs and files. Text that came from machines, clusters, files and servers is among what is
// written to it, so it lets through no character that misleads (lifecycle.Misleads), also where a write ends within one.
//
// What steers a terminal for kiban itself, colours, the live view's cursor and the marks of GitLab's sections, is not known by its form,
// which any text can have, but by a key that the writer drew at random and that only its Styles have. It may be used by several goroutines.
type Writer struct {
	mu   sync.Mutex
	w    io.Writer
	key  string
	held []byte // the beginning of a character or of a mark, whose end is still to come
}

// A mark is the key, a sequence, and markEnd. Neither bytes occur in UTF-8, so that no character is taken for one.
const (
	markBegin = 0xff
	markEnd   = 0xfe
	// longestMark bounds what is held back for a mark's end.
	longestMark = 512
)

// NewWriter makes one that writes to w.
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: w, key: string([]byte{markBegin}) + rand.Text()}
}

// Style is what may be shown on this writer.
func (w *Writer) Style(color bool) Style { return Style{key: w.key, color: color} }

// Write writes text. What it holds back at the end comes with the next write, or with Flush.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := append(w.held, p...)
	clean, rest := w.clean(text, false)
	w.held = bytes.Clone(rest)
	if len(clean) == 0 {
		return len(p), nil
	}
	if _, err := w.w.Write(clean); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what was held back, as far as it may be shown.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	clean, _ := w.clean(w.held, true)
	w.held = nil
	if len(clean) == 0 {
		return nil
	}
	_, err := w.w.Write(clean)
	return err
}

// clean gives what may be shown of text, and the rest for which more must come; last: nothing more comes.
func (w *Writer) clean(text []byte, last bool) (clean, rest []byte) {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		if seq, n, open := w.mark(text); open && !last {
			return out, text
		} else if n > 0 {
			out, text = append(out, seq...), text[n:]
			continue
		}
		if !last && !utf8.FullRune(text) {
			return out, text
		}
		r, n := utf8.DecodeRune(text)
		if !lifecycle.Misleads(r) {
			out = utf8.AppendRune(out, r) // U+FFFD for what is not UTF-8
		}
		text = text[n:]
	}
	return out, nil
}

// mark is the sequence of the mark that text begins with, and how long the mark is; 0: it begins with none. open: there may be more of it.
func (w *Writer) mark(text []byte) (seq []byte, n int, open bool) {
	if text[0] != markBegin {
		return nil, 0, false
	}
	if len(text) < len(w.key) {
		return nil, 0, strings.HasPrefix(w.key, string(text))
	}
	body, ours := bytes.CutPrefix(text, []byte(w.key))
	if !ours {
		return nil, 0, false
	}
	end := bytes.IndexByte(body, markEnd)
	if end < 0 {
		return nil, 0, len(body) < longestMark
	}
	return body[:end], len(w.key) + end + 1, false
}
