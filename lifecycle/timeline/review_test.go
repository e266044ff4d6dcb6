package timeline

import (
	"bytes"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

// What people said yes to is told in each form of a run, as text and nothing else.
func TestRunTellsOfItsReview(t *testing.T) {
	r := toldRecord(t)
	r.Review = &lifecycle.Review{Plan: "sha256:aa", Where: "https://gitlab.example.org/-/merge_requests/42",
		Accepted: []string{"+ worker-9/reset: <b>evil</b>"}, AcceptedID: "0123456789ab"}
	var md, html bytes.Buffer
	if err := Markdown(&md, r, rendertest.Story()); err != nil {
		t.Fatal(err)
	}
	if err := HTML(&html, r, rendertest.Story()); err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{md.String(), html.String()} {
		for _, want := range []string{"merge_requests/42", "1 difference accepted (0123456789ab)", "worker-9/reset"} {
			if !strings.Contains(strings.ReplaceAll(got, "\\", ""), want) {
				t.Errorf("no %q in\n%s", want, got)
			}
		}
	}
	if !strings.Contains(md.String(), "- `+ worker-9/reset: <b>evil</b>`\n") || strings.Contains(html.String(), "<b>evil") {
		t.Errorf("what was accepted became markup:\n%s", md.String())
	}
}
