package timeline

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

func TestRunOfUnits(t *testing.T) {
	events := rendertest.UnitStory()
	record := lifecycle.RunRecord{Format: lifecycle.RunFormat, ID: "20261121-220000-a1b2c3", Site: "tokyo-prod", Who: "ann", Where: "laptop",
		Revision: "3f2a1c9d5e6f708192a3b4c5d6e7f8091a2b3c4d",
		Began:    rendertest.At(0), Ended: rendertest.At(140), Result: lifecycle.RunFailed, Steps: 3, Begun: 2, Done: 1, Failed: 1}
	var markdown, page bytes.Buffer
	for _, err := range []error{Markdown(&markdown, record, events), HTML(&page, record, events)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "units_run.md", markdown.String())
	for want, there := range map[string]bool{
		"addons argocd and datadog and tenant product-a to apply": true, ">addon/argocd</text>": true, "✗ failed": true, "<th>On</th>": true,
		"out of service": false, "machine": false,
	} {
		if strings.Contains(page.String(), want) != there {
			t.Errorf("%q: want %v in the page", want, there)
		}
	}
	if dir := os.Getenv("KIBAN_PAGES"); dir != "" { // to look at them
		if err := os.WriteFile(dir+"/units_run.html", page.Bytes(), 0o644); err != nil {
			t.Error(err)
		}
	}
}
