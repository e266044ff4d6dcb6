package review

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"kiban.dev/kiban/lifecycle"
)

// What somebody accepted may be carried on after a cut: the machines it was about, and the very same changes of objects.
func TestAccepted(t *testing.T) {
	run := lifecycle.RunRecord{Result: lifecycle.RunUnended,
		Review: &lifecycle.Review{Plan: "sha256:aa", AcceptedID: "0123456789ab", Accepted: []string{
			"+ w3/upgrade: k0s v1.35 is installed", "    new: - --debug", "~ addon/shop/apply: drift",
			"    Deployment shop/web: spec.image was web:1 when it was planned, and is web:0 now",
			"the order or the pace of the steps differs, or where they lead"}}}
	ended, other := run, run
	ended.Result = lifecycle.RunDone
	other.Review = &lifecycle.Review{Plan: "sha256:bb", AcceptedID: "0123456789ab", Accepted: run.Review.Accepted}
	for name, tt := range map[string]struct {
		id    string
		lines []string
		runs  []lifecycle.RunRecord
		want  bool
	}{
		"the machine's other steps": {"0123456789ab",
			[]string{"+ w3/start: it was cut off", "    k0s v1.36 was not reviewed there", "+ w3/uncordon: because"}, []lifecycle.RunRecord{run},
			true},
		"the same change of an object": {"0123456789ab", run.Review.Accepted[2:4], []lifecycle.RunRecord{run}, true},
		"another change of the object": {"0123456789ab",
			[]string{"~ addon/shop/apply: drift", "    Deployment shop/web: spec.image was web:1 when it was planned, and is evil:0 now"},
			[]lifecycle.RunRecord{run}, false},
		"another machine": {"0123456789ab", []string{"+ w4/upgrade: k0s v1.35 is installed"}, []lifecycle.RunRecord{run}, false},
		"another addon":   {"0123456789ab", []string{"+ addon/dns/apply: drift"}, []lifecycle.RunRecord{run}, false},
		"another cluster": {"0123456789ab",
			[]string{"the plan was reviewed for another cluster (the UID of kube-system differs)"}, []lifecycle.RunRecord{run}, false},
		"another id":                {"ffff56789abc", []string{"+ w3/start: because"}, []lifecycle.RunRecord{run}, false},
		"nothing begun":             {"0123456789ab", []string{"+ w3/start: because"}, nil, false},
		"done, and changed since":   {"0123456789ab", []string{"+ w3/start: because"}, []lifecycle.RunRecord{ended}, false},
		"accepted for another plan": {"0123456789ab", []string{"+ w3/start: because"}, []lifecycle.RunRecord{other}, false},
		"a run that nobody reviewed": {"0123456789ab", []string{"+ w3/start: because"},
			[]lifecycle.RunRecord{{Result: lifecycle.RunUnended}}, false},
		"details of what was not covered": {"0123456789ab", []string{"+ w4/start: because", "    new: - --debug"}, []lifecycle.RunRecord{run},
			false},
	} {
		if got := Accepted(tt.id, "sha256:aa", tt.lines, tt.runs); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A record stays small, whatever was accepted.
func TestAcceptedLinesAreBounded(t *testing.T) {
	var lines []string
	for i := range 500 {
		lines = append(lines, fmt.Sprintf("+ w%d/upgrade: %s", i, strings.Repeat("長", 200)))
	}
	got := AcceptedLines(lines)
	if len(got) != acceptedKept+1 || got[acceptedKept] != "and 470 more lines" || len(lines[0]) < 600 {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
	for _, l := range got {
		if len(l) > acceptedWide+len("…") || !utf8.ValidString(l) {
			t.Errorf("%d bytes: %q", len(l), l)
		}
	}
}
