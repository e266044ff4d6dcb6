package main

import (
	"strings"
	"testing"
)

// TestLedgerJudges holds each way in which a write can be lost against what is said of it.
func TestLedgerJudges(t *testing.T) {
	tests := []struct {
		name  string
		write func(l *ledger)
		seen  map[string]int
		want  verdict
		text  string
	}{
		{"acknowledged and there", func(l *ledger) { l.sent("a", 1); l.acknowledged("a", 1) }, map[string]int{"a": 1}, verdict{Live: 1}, ""},
		{"acknowledged and gone", func(l *ledger) { l.sent("a", 1); l.acknowledged("a", 1) }, nil, verdict{Lost: 1}, "a is gone"},
		{"an older state is back", func(l *ledger) {
			l.acknowledged("a", 1)
			l.acknowledged("a", 2)
		}, map[string]int{"a": 1}, verdict{Live: 1, Stale: 1}, "at write 1; 2 was acknowledged"},
		{"deleted, and there again", func(l *ledger) {
			l.acknowledged("a", 1)
			l.sent("a", absent)
			l.acknowledged("a", absent)
		}, map[string]int{"a": 1}, verdict{Live: 1, Wrong: 1}, "none since"},
		{"not answered, and in force", func(l *ledger) {
			l.acknowledged("a", 1)
			l.sent("a", 2)
		}, map[string]int{"a": 2}, verdict{Live: 1}, ""},
		{"not answered, and not in force", func(l *ledger) {
			l.acknowledged("a", 1)
			l.sent("a", 2)
		}, map[string]int{"a": 1}, verdict{Live: 1}, ""},
		{"a deletion that was not answered", func(l *ledger) {
			l.acknowledged("a", 1)
			l.sent("a", absent)
		}, nil, verdict{}, ""},
		{"refused, and in force", func(l *ledger) {
			l.acknowledged("a", 1)
			l.sent("a", 2)
			l.refused("a", 2)
		}, map[string]int{"a": 2}, verdict{Live: 1, Wrong: 1}, "none since"},
		{"never written", func(*ledger) {}, map[string]int{"b": 1}, verdict{Live: 1, Wrong: 1}, "never written"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLedger()
			test.write(l)
			got, texts := l.judge(test.seen)
			if test.name == "never written" {
				got.Live = len(test.seen)
			}
			if text := strings.Join(texts, "\n"); got != test.want || !strings.Contains(text, test.text) || (text == "") != (test.text == "") {
				t.Errorf("got %+v %q, want %+v %q", got, text, test.want, test.text)
			}
		})
	}
}
