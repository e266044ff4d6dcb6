package page

import (
	"regexp"
	"strings"
	"testing"
)

// textOf is what stands on a page, without its elements, each row of a table in a line.
func textOf(content string) string {
	_, content, _ = strings.Cut(content, "<main")
	content = strings.NewReplacer("\n", " ", "<tr>", "\n", "<li>", "\n", "</td>", " | ", "</th>", " | ", "&#43;", "+", "&#39;", "'").
		Replace(content)
	return regexp.MustCompile(`<[^>]*>`).ReplaceAllString(content, "")
}

// What people ask of a fleet is a click away from the first page, and answered there in words.
func TestTenQuestions(t *testing.T) {
	files := written(t, story(t, storyBlock))
	index := files["index.html"]
	for asked, tt := range map[string]struct {
		page string
		// line matches a line that answers it; never one that would be wrong.
		line, never string
	}{
		"which sites run a version out of support": {"out-of-support.html", `osaka-prod-0021 \| v1\.34\.9 \| 1\.34 ended 2026-10-27`, `prod-0022 `},
		"who waits for whom, and how long still": {"turns.html",
			`tokyo-prod-0016 .*sapporo-stag-0002 \| 31 of 72 h \| 2026-11-29 19:50 UTC, in 1 day 16 h`, ``},
		"which backups are unproven":         {"backups.html", `tokyo-prod-0028 \| 45 days ago .*within 30 days`, `tokyo-prod-0012 `},
		"who uses most of the quota":         {"tenants.html", `checkout \| 1 \| 98 % of requests.cpu at osaka-prod-0033`, ``},
		"what changed last night":            {"changed.html", `osaka-stag-0005 \| 2026-11-27 23:20 UTC`, `osaka-lab-0001 `},
		"what failed last night":             {"failed.html", `osaka-stag-0009 \| 2026-11-27 22:10 UTC \| .*the kubelet did not come up`, `prod-0017 `},
		"which site may go now":              {"turns.html", `May go: 1 .*\n.*\n?.*tokyo-stag-0008 \| 2 \| 9 steps`, ``},
		"which certificates end first":       {"certificates.html", `sapporo-prod-0030 \| 2026-12-03, in 5 days`, ``},
		"which sites drift":                  {"drift.html", `tokyo-flag-0036 \| 3 steps \| no version: it differs.*\n.*flag-0035 .* k0s v1`, `lab-0000 `},
		"which addon versions differ":        {"catalogue.html", `argocd \| argo-cd \| 39 \| 9\.1\.4 \(38\), 9\.0\.1 \(1\)`, ``},
		"what is not known or old":           {"not-known.html", `osaka-prod-0025 \| 2026-11-26 00:50 UTC`, `prod-0010 `},
		"whose overlay can't be read":        {"not-known.html", `fukuoka-flag-0039 \| it can't be read`, ``},
		"how far the waves are":              {"turns.html", `Wave 2: 8 sites.*5 done, 1 held, 1 a run is at work, 1 may go`, ``},
		"how long a change takes":            {"runs.html", `Lead time.* from the commit that a run carried out`, ``},
		"which site had a run that was lost": {"site/osaka-flag-0037.html", `20261126-101500-dead01 .*it has lapsed`, ``},
	} {
		if !strings.Contains(index, `href="`+tt.page) {
			t.Errorf("%s: the first page does not lead to %s", asked, tt.page)
		}
		text := textOf(files[tt.page])
		if !regexp.MustCompile(tt.line).MatchString(text) {
			t.Errorf("%s: %s does not say %s:\n%s", asked, tt.page, tt.line, text)
		}
		if tt.never != "" && strings.Contains(text, "\n"+tt.never) {
			t.Errorf("%s: %s has %s", asked, tt.page, tt.never)
		}
	}
}
