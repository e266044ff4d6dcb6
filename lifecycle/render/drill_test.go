package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func drills() map[string]lifecycle.Drill {
	kinds := []lifecycle.DrilledKind{{Kind: "deployments", Had: lifecycle.Amount{Least: 12, Most: 12}, Held: 12, Back: 12},
		{Kind: "pods", Had: lifecycle.Amount{Least: 40, Most: 43}, Held: 42, Back: 39}, {Kind: "priorityclasses", Held: 2, Back: 3}}
	proven := lifecycle.Drill{Site: "tokyo", Backup: "tokyo.tar.gz.age", Place: "s3://backups at s3.example.com",
		Taken: "2026-11-21T12:00:00Z", Version: lifecycle.Version{Major: 1, Minor: 35, Patch: 7}, Took: 50 * time.Second, Read: 17,
		Kinds: kinds,
		Left:  []string{"cp-1/upgrade: older"}, Recorded: []string{"the cluster", "s3://backups at s3.example.com"},
		Proof:       &lifecycle.Proof{Took: 41 * time.Second},
		Differences: []lifecycle.TwinDifference{{What: "There are no workers"}}}
	lost := proven
	lost.Proof, lost.Recorded, lost.Left, lost.Differences = nil, nil, nil, nil
	lost.Kinds = append([]lifecycle.DrilledKind{{Kind: "secrets", Had: lifecycle.Amount{Least: 5, Most: 5}, Held: 5, Back: 4,
		Lost: "4 of 5 came back"}}, kinds...)
	lost.Findings = lifecycle.Diagnostics{lifecycle.Errorf("tokyo.tar.gz.age", "secrets of the backup did not come back").
		Because("4 of 5 | came back")}
	sealed := lifecycle.Drill{Site: "tokyo", Backup: "tokyo.tar.gz.age", Findings: lifecycle.Diagnostics{
		lifecycle.Blockedf("tokyo.tar.gz.age", "it is not known whether the backup can be restored").Because("the backup is encrypted")}}
	return map[string]lifecycle.Drill{"sealed": sealed, "proven": proven, "lost": lost, "refused": {Site: "tokyo",
		Backup:   "tokyo.tar.gz.age",
		Findings: lifecycle.Diagnostics{lifecycle.Errorf("tokyo.tar.gz.age", "the backup is not what it was when it was taken")}}}
}

// TestDrillForms: a drill as people, a merge request and a program get it.
func TestDrillForms(t *testing.T) {
	var text, markdown, document bytes.Buffer
	for _, name := range []string{"proven", "lost", "refused", "sealed"} {
		d := drills()[name]
		data, err := json.MarshalIndent(d, "", "  ")
		if err = errors.Join(err, DrillText(&text, d, Style{}), DrillMarkdown(&markdown, d)); err != nil {
			t.Fatal(err)
		}
		document.Write(append(data, '\n'))
		text.WriteString("----\n")
		markdown.WriteString("----\n")
	}
	golden(t, "drill.txt", text.String())
	golden(t, "drill.md", markdown.String())
	golden(t, "drill.json", document.String())
}

// TestDrill: what was restored, what came back, and what would be left to do; foreign text is neither markup nor a row of its own.
func TestDrill(t *testing.T) {
	for name, want := range map[string][]string{
		"proven": {"proven: 14 of 14 objects are back, 41s after an empty machine", "s3://backups at s3.example.com",
			"17 objects read whole", "1 step would be left to do on the controllers: cp-1/upgrade: older", "There are no workers",
			"40 to 43", "priorityclasses"},
		"lost":    {"not proven: 18 of 19 objects are back", "4 of 5 came back", "nothing would be left to do"},
		"refused": {"not proven: it was not started"},
		"sealed":  {"It is not known whether ", "tokyo.tar.gz.age", " can be restored"},
	} {
		d := drills()[name]
		var text, markdown bytes.Buffer
		if err := errors.Join(DrillText(&text, d, Style{}), DrillMarkdown(&markdown, d)); err != nil {
			t.Fatal(err)
		}
		if d.Unknown() && strings.Contains(text.String()+markdown.String(), "proven") {
			t.Errorf("%s: what is not known is judged: %s", name, text.String())
		}
		for _, words := range want {
			if !strings.Contains(text.String(), words) || !strings.Contains(markdown.String(), words) {
				t.Errorf("%s: %q is not told:\n%s\n%s", name, words, text.String(), markdown.String())
			}
		}
	}
	d := drills()["lost"]
	d.Kinds[0].Lost = "4 | of\n5"
	var markdown bytes.Buffer
	if err := DrillMarkdown(&markdown, d); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(markdown.String(), `4 \| of 5 |`) {
		t.Errorf("a reason breaks its row:\n%s", markdown.String())
	}
}
