package page

import (
	"regexp"
	"strings"
	"testing"
)

// All pages say the same of a site's wave, that of one included whose overlay can't be read, or whose file can't.
func TestOneWaveOnAllPages(t *testing.T) {
	files := written(t, story(t, storyBlock))
	for page, lines := range map[string][]string{
		"turns.html": {`Wave 3: 24 sites`, `Wave 4: 6 sites`, `fukuoka-flag-0039 \| 4 \(28 Nov\) \|`, `sapporo-prod-0026 \| 3 \|`,
			`Of 1 site the overlay can't be read: counted in the wave that was known last`},
		"groups.html": {`wave=3 \| 24 \|`, `wave=4 \| 6 \|`},
		"index.html": {`fukuoka-flag-0039 .*\| wave 4, region=fukuoka, .* \(28 Nov\) \|`,
			`sapporo-prod-0026 .*\| wave 3, labels not known \|`},
		"site/fukuoka-flag-0039.html": {`Wave and labels *wave 4, .* \(28 Nov\)`},
	} {
		matches(t, page, textOf(files[page]), lines...)
	}
	in := story(t, storyBlock)
	in.Sites = in.Sites[:len(in.Sites)-1] // nothing was ever known of it
	files = written(t, in)
	matches(t, "turns.html", textOf(files["turns.html"]), `Wave 4: 5 sites`, `fukuoka-flag-0039 \| not known \|`,
		`Of 1 site the wave is not known`)
	matches(t, "groups.html", textOf(files["groups.html"]), `wave=4 \| 5 \|`)
	matches(t, "index.html", textOf(files["index.html"]), `fukuoka-flag-0039 .*\| not known \|`)
}

// matches has a page's text have each line.
func matches(t *testing.T, page, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !regexp.MustCompile(line).MatchString(text) {
			t.Errorf("%s does not say %s:\n%s", page, line, text)
		}
	}
}

// Of a site whose overlay can't be read nothing that follows from it is shown as what is.
func TestUnreadIsNotKnown(t *testing.T) {
	files := written(t, story(t, storyBlock))
	const page = "site/fukuoka-flag-0039.html"
	matches(t, page, textOf(files[page]), `Its overlay can't be read, so what it is to be is not known`, `kiban validate fukuoka-flag-0039`,
		`What the repository says *As of 2026-11-28 .*; how it is now is not known: it can't be read: .*unknown field .*wawe`,
		`Next version *1\.37\.1: ready \(28 Nov\)`, `Drift *9 steps \(28 Nov\)`, `mend that first`,
		`Then: Ready for v1\.37\.1`)
	if strings.Contains(files[page], `class="good">1.37.1: ready`) || strings.Contains(files[page], `class="odd">9 steps`) ||
		strings.Contains(files[page], "v1.36.3 of v1.36.4") {
		t.Error("what its overlay said once is shown as what is")
	}
	matches(t, "drift.html", textOf(files["drift.html"]), `fukuoka-flag-0039 \| 9 steps \(28 Nov\)`)
}

// A site's page says why it does not go on: what failed, what holds it, for whom it waits, each with a link, and until when.
func TestSiteSaysWhy(t *testing.T) {
	files := written(t, story(t, storyBlock))
	for page, lines := range map[string][]string{
		"osaka-stag-0009": {`Its last run failed *20261127-221000-fedcba, 2026-11-27 22:10 UTC: .*the kubelet did not come up in 10 min`,
			`Held *its run 20261127-221000-fedcba failed`, `Until *it is lifted`, `kiban fleet holds lift`},
		"osaka-prod-0017":   {`Held *osaka-stag-0009 failed by what may befall it, too`, `Held by what failed at *osaka-stag-0009`, `Hold *[0-9a-f]{10}`},
		"tokyo-prod-0016":   {`Waits for *sapporo-stag-0002`, `Until *2026-11-29 19:50 UTC, in 1 day 16 h`},
		"fukuoka-flag-0035": {`Blocked *.*etcd has no quorum to spare`},
	} {
		matches(t, page, textOf(files["site/"+page+".html"]), lines...)
	}
	for page, link := range map[string]string{"osaka-prod-0017": "../turns.html#held", "tokyo-prod-0016": "../turns.html#waits"} {
		if !strings.Contains(files["site/"+page+".html"], `href="`+link+`"`) {
			t.Errorf("%s does not lead to %s", page, link)
		}
	}
	if strings.Contains(textOf(files["site/tokyo-lab-0000.html"]), "does not go on") {
		t.Error("what is done is told why it does not go on")
	}
}

// Each site that one waits for has a link of its own, and none is left out on the page of the one that waits.
func TestWaitsForLeadsToEach(t *testing.T) {
	c := well(t, "waits", 2, nil)
	s := siteOf(c)
	s.paged = map[string]bool{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		s.paged[name], s.place.For = name != "b", append(s.place.For, name)
	}
	all := s.waitsFor()
	if len(all.Parts) != 7 || all.Parts[0].Link != "site/a.html" || all.Parts[1].Link != "" || all.Parts[6].Link != "site/g.html" {
		t.Errorf("%+v", all)
	}
	few := all.fewOf(5, "site/waits.html")
	if last := few.Parts[len(few.Parts)-1]; len(few.Parts) != 6 || last.Text != "2 more" || last.Link != "site/waits.html" ||
		len(all.fewOf(7, "").Parts) != 7 {
		t.Errorf("%+v", few)
	}
	files := written(t, story(t, storyBlock))
	matches(t, "turns.html", files["turns.html"], `<td[^>]*><a href="site/[a-z0-9-]+\.html">[a-z0-9-]+</a>, <a href="site/`)
}

// Another version is not offered without what stands in its way, or keeps the site.
func TestChangeSaysWhatIsInTheWay(t *testing.T) {
	files := written(t, story(t, storyBlock))
	for page, line := range map[string]string{
		"osaka-prod-0021": `Take v1\.35\.7\S* *.*2 findings in the way of v1\.35\.7.*containerd 1\.7`,
		"osaka-prod-0017": `Take v1\.37\.1\S* *It can't take another version now \(held\): osaka-stag-0009 failed`,
	} {
		matches(t, page, textOf(files["site/"+page+".html"]), line)
	}
	if strings.Contains(textOf(files["site/tokyo-lab-0000.html"]), "take another version now") {
		t.Error("nothing is in its way")
	}
}
