package fleet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// history is a branch, the newest commit first: of each what its sites declare, "tier version".
type history []map[string]string

func (h history) write(t *testing.T, dir string, back int) {
	t.Helper()
	for name, declares := range h[back] {
		file := filepath.Join(dir, "overlays", name, "site")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(declares), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (h history) source(t *testing.T) Source {
	return Source{
		Load: func(_ context.Context, fleet, name, _ string) (site lifecycle.Site, ds lifecycle.Diagnostics) {
			b, err := os.ReadFile(filepath.Join(fleet, "overlays", name, "site"))
			tier, version, ok := strings.Cut(string(b), " ")
			if err != nil || !ok {
				return site, lifecycle.Diagnostics{lifecycle.Errorf(name, "it can't be read")}
			}
			return lifecycle.Site{Name: name, Digest: tier + version, Labels: map[string]string{"tier": tier}}, nil
		},
		List: func(fleet string) (names []string, err error) {
			entries, _ := os.ReadDir(filepath.Join(fleet, "overlays"))
			for _, e := range entries {
				names = append(names, e.Name())
			}
			return names, nil
		},
		Open: func(string) (func(string) (Snapshot, error), error) {
			return func(revision string) (Snapshot, error) {
				var back int
				if _, err := fmt.Sscanf(revision, "HEAD~%d", &back); err != nil || back >= len(h) {
					return nil, lifecycle.Errorf(revision, "there is no revision %s here", revision)
				}
				files := shot{"": fmt.Sprintf("c%d", back)}
				for name, declares := range h[back] {
					files["overlays/"+name+"/site"] = declares
				}
				return files, nil
			}, nil
		},
		Blob:   func(content []byte) string { return string(content) },
		IsSite: func(files []string) bool { return len(files) > 0 },
		Inputs: func(lifecycle.Site) (map[string]string, error) { return nil, nil },
		Reads:  func(_, name string) ([]string, bool) { return []string{"overlays/" + name}, true },
	}
}

// TestA3_BroughtByItsLastChange: what is declared of a site came with the last change of it, and what it was before says who starts it.
func TestA3_BroughtByItsLastChange(t *testing.T) {
	h := history{
		{"head": "lab 2", "before": "lab 2", "back": "lab 1", "new": "lab 1", "was": "lab 1", "mended": "lab 1", "old": "lab 1"},
		{"head": "lab 1", "before": "lab 2", "back": "lab 1", "new": "lab 1", "was": "lab 1", "mended": "lab 1", "old": "lab 1"},
		{"head": "lab 2", "before": "lab 1", "back": "lab 2", "new": "lab 1", "was": "production 1", "mended": "broken", "old": "lab 1"},
		{"head": "lab 2", "before": "lab 1", "back": "lab 1", "was": "production 1", "old": "lab 1"},
	}
	fleet := t.TempDir()
	h.write(t, fleet, 0)
	got, err := h.source(t).Brought(t.Context(), fleet, []string{"head", "before", "back", "new", "was", "mended", "old"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Brought{
		"head":   {Commit: "", Known: true, Labels: map[string]string{"tier": "lab"}},
		"before": {Commit: "c1", Known: true, Labels: map[string]string{"tier": "lab"}},
		"back":   {Commit: "c1", Known: true, Labels: map[string]string{"tier": "lab"}}, // and not c3, which declared the same
		"new":    {Commit: "c2"},
		"was":    {Commit: "c1", Known: true, Labels: map[string]string{"tier": "production"}},
		"mended": {Commit: "c1"},
		"old":    {Unknown: "of the 4 commits that are here none changed it: HEAD~4: there is no revision HEAD~4 here"},
	} {
		b := got[name]
		if b.Commit != want.Commit || b.Known != want.Known || b.Labels["tier"] != want.Labels["tier"] ||
			!strings.HasPrefix(b.Unknown, want.Unknown) || (b.Unknown == "") != (want.Unknown == "") {
			t.Errorf("%s: got %+v, want %+v", name, b, want)
		}
	}
	if got, err := h.source(t).Brought(t.Context(), fleet, nil); err != nil || len(got) != 0 {
		t.Errorf("of no site: %v, %v", got, err)
	}
}

// TestBroughtBuildsWhatWasTouched: a site is built where a commit touched what it is made of, not again for each commit before that.
func TestBroughtBuildsWhatWasTouched(t *testing.T) {
	h := make(history, 40)
	for i := range h {
		h[i] = map[string]string{"old": "lab 1", "other": "lab 2"}
	}
	h[39]["old"] = "lab 0"
	h[3]["other"] = "lab 1" // each site reads the other's folder, too: as they read a base
	fleet, read := t.TempDir(), 0
	h.write(t, fleet, 0)
	s := h.source(t)
	load := s.Load
	s.Load = func(ctx context.Context, fleet, name, beside string) (lifecycle.Site, lifecycle.Diagnostics) {
		read++
		return load(ctx, fleet, name, beside)
	}
	s.Reads = func(string, string) ([]string, bool) { return []string{"overlays"}, true }
	got, err := s.Brought(t.Context(), fleet, []string{"old"})
	if err != nil || got["old"].Commit != "c38" {
		t.Errorf("%+v, %v", got, err)
	}
	if read > 3*3 {
		t.Errorf("it was read %d times, and three commits touched what it is made of", read)
	}
}

// TestBroughtIsBounded: a site that has not changed for long is given up, and not looked for through all of history.
func TestBroughtIsBounded(t *testing.T) {
	h := make(history, broughtBack+10)
	for i := range h {
		h[i] = map[string]string{"old": "lab 1"}
	}
	fleet := t.TempDir()
	h.write(t, fleet, 0)
	got, err := h.source(t).Brought(t.Context(), fleet, []string{"old"})
	if err != nil || got["old"].Unknown != "none of the last 200 commits changed it" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestBroughtWritesWhatIsRead: of a commit that touched none of the sites nothing is written out.
func TestBroughtWritesWhatIsRead(t *testing.T) {
	h := make(history, 20)
	for i := range h {
		h[i] = map[string]string{"old": "lab 1", "other": fmt.Sprintf("lab %d", i)}
	}
	h[15]["old"] = "lab 0"
	fleet, written := t.TempDir(), 0
	h.write(t, fleet, 0)
	s := h.source(t)
	open := s.Open
	s.Open = func(fleet string) (func(string) (Snapshot, error), error) {
		at, err := open(fleet)
		return func(revision string) (Snapshot, error) {
			of, err := at(revision)
			return countedWrites{of, &written}, err
		}, err
	}
	got, err := s.Brought(t.Context(), fleet, []string{"old"})
	if err != nil || got["old"].Commit != "c14" {
		t.Errorf("%+v, %v", got, err)
	}
	if written != 2 { // what sites share, and the site
		t.Errorf("it was written %d times, and one commit touched the site", written)
	}
}

type countedWrites struct {
	Snapshot
	written *int
}

func (c countedWrites) Write(into string, names ...string) error {
	*c.written++
	return c.Snapshot.Write(into, names...)
}
