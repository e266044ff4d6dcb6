package page

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	pages  = flag.String("pages", "", "write pages of fleets of 1, 40 and 3,500 sites into this folder, to be looked at")
)

func TestWritePagesToLookAt(t *testing.T) {
	if *pages == "" {
		t.Skip("only with -pages DIR")
	}
	for _, n := range []int{1, 40, 3500} {
		in := story(t, n)
		in.Repository = Repository{URL: "https://gitlab.example.com/infra/fleet", Branch: "main"}
		if err := Make(in).Write(t.Context(), filepath.Join(*pages, fmt.Sprint(n))); err != nil {
			t.Error(err)
		}
	}
}

// written are the files that a fleet's pages make.
func written(t testing.TB, in Input) map[string]string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "public")
	if err := Make(in).Write(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	return filesIn(t, dir)
}

func filesIn(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		out[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestGolden(t *testing.T) {
	in := population(t, 12, 12)
	in.Repository = Repository{URL: "https://gitlab.example.com/infra/fleet", Branch: "main"}
	got := written(t, in)
	for _, file := range []string{"index.html", "turns.html", "not-known.html", "runs.html", "catalogue.html", "site/sapporo-prod-0002.html",
		"site/osaka-prod-0001.html"} {
		rendertest.Golden(t, *update, filepath.Base(file), got[file])
	}
}

// Pages of a fleet of which nothing was collected yet are of no moment.
func TestNothingCollected(t *testing.T) {
	for name, content := range written(t, Input{Listed: []string{"tokyo"}}) {
		if strings.Contains(content, "0001-01-01") || strings.HasSuffix(name, ".html") && !strings.Contains(content,
			"Nothing was collected yet") {
			t.Errorf("%s tells of a moment", name)
		}
	}
}

// The same input gives the same bytes, in whatever order it comes.
func TestSameInputSameBytes(t *testing.T) {
	in := population(t, 30, 15)
	first := written(t, in)
	for i, j := 0, len(in.Sites)-1; i < j; i, j = i+1, j-1 {
		in.Sites[i], in.Sites[j] = in.Sites[j], in.Sites[i]
	}
	again := written(t, in)
	if len(first) != len(again) {
		t.Errorf("%d files, and then %d", len(first), len(again))
	}
	for name, content := range first {
		if again[name] != content {
			t.Errorf("%s differs", name)
		}
	}
}

// A folder of former pages is replaced as a whole; one that holds anything else is left as it is.
func TestWriteReplaces(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "public")
	if err := Make(population(t, 3, 0)).Write(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := Make(population(t, 1, 0)).Write(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	files := filesIn(t, dir)
	if files["site/tokyo-stag-0000.html"] == "" || files["site/osaka-prod-0001.html"] != "" {
		t.Error("the page of a site that has left stays, or another is lost")
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 1 {
		t.Errorf("beside it lie %v (%v)", left, err)
	}
	for _, st := range []string{"", "site", "index.html", "site/tokyo-stag-0000.html"} {
		if info, err := os.Stat(filepath.Join(dir, st)); err != nil || info.Mode().Perm()&0o044 != 0o044 {
			t.Errorf("%s: %v (%v): a web server can't read it", st, info.Mode(), err)
		}
	}
	foreign := filepath.Join(dir, "docs.html")
	if err := os.WriteFile(foreign, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Make(population(t, 2, 0)).Write(t.Context(), dir)
	if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || !strings.Contains(d.Summary, "docs.html") {
		t.Errorf("got %v", err)
	}
	if again := filesIn(t, dir); again["docs.html"] != "mine" || len(again) != len(files)+1 {
		t.Error("the folder is not as it was")
	}
}

// What is refused, and why.
func TestWriteRefuses(t *testing.T) {
	parent := t.TempDir()
	file, link, empty := filepath.Join(parent, "file"), filepath.Join(parent, "link"), filepath.Join(parent, "empty")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Mkdir(empty, 0o700), os.Symlink(empty, link)); err != nil {
		t.Fatal(err)
	}
	s := Make(population(t, 1, 0))
	for _, dir := range []string{file, link} {
		if err := s.Write(t.Context(), dir); err == nil {
			t.Errorf("%s was replaced", dir)
		}
	}
	if err := s.Write(t.Context(), empty); err != nil {
		t.Error(err)
	}
	old := filepath.Join(parent, ".kiban-page-1")
	if err := errors.Join(os.Mkdir(old, 0o700), os.Chtimes(old, time.Now(), time.Now().Add(-2*time.Hour)), s.Write(t.Context(),
		empty)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Error("what a killed writing left stays")
	}
}

// hostile is what overlays, machines and clusters may say.
func hostile(t *testing.T) Input {
	const evil = `</td></title><script>alert(1)</script><b onmouseover="x">'&` + "\u202e\x1b[31m" +
		`日本語 مرحبا javascript:alert(1)`
	long := strings.Repeat("very-long-name-", 30)
	c := well(t, "tokyo", 1, map[string]string{evil: evil, "long": long})
	c.Standing.Value.Problems = lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Summary: evil, Detail: evil, Hint: evil,
		Subject: evil}}
	c.Standing.Value.API, c.Declared.Value.Components, c.Declared.Value.Addons = evil, []string{evil, long},
		[]fleet.DeclaredAddon{{Name: evil, Chart: evil, Version: evil}}
	c.Declared.Value.BackupTo, c.Declared.Value.Tenants = []string{evil}, []string{evil}
	c.Addons.Value = []fleet.InstalledAddon{{Name: evil, Version: evil, Why: evil}, {Name: evil, Unknown: evil}}
	c.Machines.Value[0] = fleet.Machine{Name: evil, Role: evil, Problem: evil, OS: evil, Kernel: evil, Arch: evil}
	c.Ready.Value.Verdict, c.Ready.Value.First = evil, []string{evil}
	c.Drift.Value = fleet.Drift{Steps: 1, First: []string{evil}, Unfinished: evil, Waits: evil, Stops: c.Standing.Value.Problems}
	c.Support.Value.Assumed, c.Support.Value.First, c.Support.Value.Target = []string{evil}, evil, evil
	c.Locks.Value = []lifecycle.Lock{{Holder: evil, Who: evil, Doing: evil, Where: evil}}
	r := &c.Runs.Value[0]
	r.ID, r.Who, r.Where, r.Doing, r.Revision, r.Result = evil, evil, "javascript:alert(1)", evil, evil, evil
	c.Backups.Value.Newest[0] = lifecycle.KeptBackup{Name: evil, Place: evil, Taken: evil, Verified: evil}
	c.Backups.Value.Unasked, c.Backups.Value.Proven = []string{evil}, &lifecycle.Proof{Backup: evil, At: evil}
	c.Certificates.Value[0].Host, c.Certificates.Value[0].Name, c.Certificates.Value[0].Renewed = evil, evil, evil
	c.Tenants.Value[0] = lifecycle.TenantUse{Tenant: evil, Namespace: evil, Resources: []lifecycle.ResourceUse{{Name: evil, Used: evil,
		Hard: evil, Share: 1}}}
	other := well(t, "osaka", 2, nil)
	silent(&other, 2)
	other.Failed, other.Drift.Unknown = evil, evil
	return Input{Sites: []fleet.Collected{c, other}, Listed: []string{"tokyo", evil, long, "../../etc"}, Now: at(),
		Unusable: lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Summary: evil, Subject: evil, Detail: evil}},
		Queue: fleet.Queue{Places: []fleet.Place{{Site: "tokyo", Turn: fleet.TurnWaits, Why: evil, For: []string{evil}, Hint: evil},
			{Site: evil, Unread: true, Turn: fleet.TurnUnknown, Why: evil}}}}
}

// Whatever anybody wrote stays text: no element, no attribute, no address, and nothing that steers who reads.
func TestHostileTextStaysText(t *testing.T) {
	for name, content := range written(t, hostile(t)) {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		if strings.Contains(name, "..") || strings.Contains(content, "\u202e") || strings.Contains(content, "\x1b") {
			t.Errorf("%s: it steers", name)
		}
		own := regexp.MustCompile(`^</?(!doctype|html|head|meta|title|link|script|body|a|header|nav|ul|li|p|time|main|h1|h2|h3|b|span|` +
			`small|section|details|summary|dl|div|dt|dd|table|caption|thead|tbody|tr|th|td|pre|footer|svg|rect|ol)\b`)
		for _, tag := range regexp.MustCompile(`<[a-zA-Z!/][^>]*>`).FindAllString(content, -1) {
			if !own.MatchString(tag) ||
				regexp.MustCompile(` on[a-z]+=`).MatchString(tag) {
				t.Errorf("%s has %s", name, tag)
			}
		}
		for _, m := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(content, -1) {
			inside := regexp.MustCompile(`^(\.\./)?([-a-z0-9]+\.(html|css|js)|site/[-A-Za-z0-9._]+\.html)?(#[-a-z0-9]+)?$`)
			if m[1] != "https://gitlab.example.com/infra/fleet/-/jobs/4711" && !inside.MatchString(m[1]) {
				t.Errorf("%s leads to %s", name, m[1])
			}
		}
		if n := strings.Count(content, "<script"); n != 1 || strings.Contains(content, "<style") || !strings.Contains(content,
			"default-src 'none'") {
			t.Errorf("%s has %d scripts, or styles of its own, or no policy", name, n)
		}
	}
}

// Every link within the pages leads to a page, and every anchor to a place that is there.
func TestLinksLeadSomewhere(t *testing.T) {
	in := population(t, 40, 20)
	in.Repository = Repository{URL: "https://gitlab.example.com/infra/fleet", Branch: "main"}
	files := written(t, in)
	ids := map[string]bool{}
	for name, content := range files {
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(content, -1) {
			if ids[name+"#"+m[1]] {
				t.Errorf("%s has #%s twice", name, m[1])
			}
			ids[name+"#"+m[1]] = true
		}
	}
	for name, content := range files {
		for _, m := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(content, -1) {
			if strings.HasPrefix(m[1], "https://gitlab.example.com/infra/fleet/-/") {
				continue
			}
			path, id, anchored := strings.Cut(m[1], "#")
			target := name
			if path != "" {
				target = filepath.Join(filepath.Dir(name), path)
			}
			if files[target] == "" || anchored && !ids[target+"#"+id] {
				t.Errorf("%s: %s leads nowhere", name, m[1])
			}
		}
	}
}

func BenchmarkPages(b *testing.B) {
	for _, n := range []int{1, 40, 3500} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			in := population(b, n, n*3/35)
			dir := filepath.Join(b.TempDir(), "public")
			for b.Loop() {
				if err := Make(in).Write(b.Context(), dir); err != nil {
					b.Fatal(err)
				}
			}
			st, err := os.Stat(filepath.Join(dir, "index.html"))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(st.Size())/1e6, "MB-index")
		})
	}
}

// The table of all sites stays small enough to be opened: 4 MB of 3,500 sites.
func TestIndexStaysSmall(t *testing.T) {
	const n = 350
	s := Make(population(t, n, 30))
	layout, err := newTemplate()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.render(&b, layout, s.Doc(0)); err != nil || b.Len() > 4_000_000/3500*n {
		t.Errorf("%d bytes of %d sites (%v)", b.Len(), n, err)
	}
}

// Each region of a page has a name of its own, and one that says what it is.
func TestRegionsHaveNames(t *testing.T) {
	for name, content := range written(t, story(t, storyBlock)) {
		named := map[string]bool{}
		for _, m := range regexp.MustCompile(`role="region" aria-label="([^"]*)"`).FindAllStringSubmatch(content, -1) {
			if named[m[1]] || m[1] == "" || regexp.MustCompile(`^\d+ sites?$`).MatchString(m[1]) {
				t.Errorf("%s has a region %q", name, m[1])
			}
			named[m[1]] = true
		}
	}
	if !strings.Contains(string(style), "overflow:auto;scroll-padding:") || !strings.Contains(string(script), "scrollPaddingLeft") {
		t.Error("what is focused may stand below the head of its table")
	}
}
