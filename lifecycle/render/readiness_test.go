package render

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

func unreadySite(t *testing.T) lifecycle.Readiness {
	t.Helper()
	v := func(s string) lifecycle.Version {
		v, err := lifecycle.ParseVersion(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	r := lifecycle.Readiness{Site: "tokyo-prod", From: v("v1.36.3+k0s.2"), To: v("v1.37.1+k0s.0"),
		Looked: []string{"12 of 12 machines", "412 stored objects of 31 kinds"},
		Unseen: []lifecycle.Unseen{{What: "who asks for removed APIs", Why: "tokyo-1: forbidden", Remedy: "Let the user read /metrics.",
			Also: []string{"who writes by them", "which releases have them"}}}}
	for _, w := range []string{"worker-1", "worker-2", "worker-3"} {
		r.Findings = append(r.Findings, lifecycle.ReadinessFinding{Rule: "risk", Rank: lifecycle.RankBlocks, Subject: w,
			Summary: "containerd 2 refuses its drop-in of version 2", Seen: []string{w + ": /etc/k0s/containerd.d/mirror.toml"}, Breaks: "v1.36",
			Remedy: "Write it in the form of version 3."})
	}
	r.Findings = append(r.Findings,
		lifecycle.ReadinessFinding{Rule: "removed-api", Rank: lifecycle.RankAttention, Subject: "ServiceCIDR networking.k8s.io/v1beta1",
			Owner: "tenant shop", Summary: "asked for, and gone with v1.37 <b>", Seen: []string{"one", "two", "three", "four", "five"},
			Breaks: "v1.37",
			Remedy: "Ask for networking.k8s.io/v1 | or not."},
		lifecycle.ReadinessFinding{Rule: "certificate", Rank: lifecycle.RankGood, Subject: "ctrl",
			Summary: "the certificate ca ends on 2027-02-01",
			Seen:    []string{"its life"}, Remedy: "kiban explain certificate"})
	r.Sort()
	return r
}

// TestReadiness: one cause on several machines is one finding; evidence is told in a few lines; no width cuts anything off.
func TestReadiness(t *testing.T) {
	r := unreadySite(t)
	var all strings.Builder
	for _, width := range []int{0, 60, 80, 120} {
		for _, brief := range []bool{false, true} {
			if err := ReadinessText(&all, r, brief, Style{}.Within(width)); err != nil {
				t.Fatal(err)
			}
			all.WriteString("----\n")
		}
	}
	rendertest.Golden(t, *update, "readiness.txt", all.String())
	rendertest.Golden(t, *update, "readiness.md", ReadinessMarkdown(r, 3)+"----\n"+ReadinessMarkdown(lifecycle.Readiness{Site: "lab",
		To: r.To}, 3))
}

// TestManyFindings: a site with some fifty troubles fits a screen in short, where many that are alike are counted, and a table of a merge
// request has all of them, each remedy whole.
func TestManyFindings(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "readiness", "testdata", "planted.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r lifecycle.Readiness
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := ReadinessText(&text, r, true, Style{}.Within(200)); err != nil {
		t.Fatal(err)
	}
	rendertest.Golden(t, *update, "readiness_many.txt", text.String())
	table := ReadinessMarkdown(r, 60)
	rendertest.Golden(t, *update, "readiness_many.md", table)
	for _, f := range r.Findings {
		i := slices.IndexFunc(alikeFindings(r.Of(f.Rank)), func(g findingGroup) bool {
			return g.Summary == f.Summary && slices.Contains(g.subjects, f.Subject) &&
				strings.Contains(strings.Join(strings.Fields(text.String()), " "), lifecycle.Alike(g.subjects))
		})
		if i < 0 || !strings.Contains(table, lifecycle.Markdown(f.Subject)) {
			t.Errorf("%s: %s is not shown", f.Subject, f.Summary)
		}
		if !strings.Contains(table, lifecycle.Markdown(f.Remedy)) {
			t.Errorf("%s: its remedy is not whole", f.Subject)
		}
	}
}
