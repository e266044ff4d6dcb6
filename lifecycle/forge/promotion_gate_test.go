package forge

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// A site that waits for nobody, or brings nothing, asks nobody; who is waited for is asked where no file tells; a site that can't be asked
// is not known, and a file that can't be read is no evidence.
func TestGateAsksAsLittleAsItCan(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	waits := lifecycle.Site{Name: "prod", Promotion: lifecycle.Promotion{From: []string{"lab", "staging"}, Soak: time.Hour}}
	brings := []lifecycle.SoakVersion{{Name: "k0s", Version: "v1.36.2+k0s.0"}}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "lab.json"), []byte(`{"site":"lab"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		site   lifecycle.Site
		brings []lifecycle.SoakVersion
		dir    string
		silent string
		asked  []string
		word   string
		passes bool
	}{
		"waits for nobody":    {site: lifecycle.Site{Name: "prod"}, word: "prod waits for no other site.", passes: true},
		"brings nothing":      {site: waits, asked: []string{"prod"}, word: "nothing has to be waited for", passes: true},
		"no folder":           {site: waits, brings: brings, asked: []string{"prod", "lab", "staging"}, word: "lab"},
		"a file tells":        {site: waits, brings: brings, dir: dir, asked: []string{"prod", "staging"}, word: "lab"},
		"one does not answer": {site: waits, brings: brings, dir: dir, silent: "staging", asked: []string{"prod", "staging"}, word: "staging"},
	} {
		var asked []string
		var warned lifecycle.Diagnostics
		gate := Gate{Dir: tt.dir, Warn: func(ds lifecycle.Diagnostics) { warned = append(warned, ds...) }, Note: func(string, ...any) {},
			Brings: func(context.Context) ([]lifecycle.SoakVersion, lifecycle.Soak, error) {
				asked = append(asked, "prod")
				return tt.brings, lifecycle.Soak{Site: "prod"}, nil
			},
			Soak: func(_ context.Context, site string) (lifecycle.Soak, error) {
				asked = append(asked, site)
				if site == tt.silent {
					return lifecycle.Soak{}, errors.New("no route")
				}
				return lifecycle.Soak{Site: site}, nil
			}}
		words, err := gate.Judge(t.Context(), tt.site, now)
		if !slices.Equal(asked, tt.asked) || (err == nil) != tt.passes || !strings.Contains(strings.Join(words, "\n"), tt.word) {
			t.Errorf("%s: asked %q, said %q, %v", name, asked, words, err)
		}
		if err != nil && !lifecycle.AsDiagnostics(err, "").Has(lifecycle.SeverityBlocked) {
			t.Errorf("%s: what must be waited for is no failure: %v", name, err)
		}
		if (tt.silent != "") != (len(warned) > 0) {
			t.Errorf("%s: warned of %v", name, warned)
		}
	}
}

func TestGateWithAFileThatIsBroken(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "lab.json"), []byte(`{"site":"oslo"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	gate := Gate{Dir: dir, Note: func(string, ...any) {},
		Brings: func(context.Context) ([]lifecycle.SoakVersion, lifecycle.Soak, error) {
			return []lifecycle.SoakVersion{{Name: "k0s", Version: "v1.36.2+k0s.0"}}, lifecycle.Soak{}, nil
		}}
	site := lifecycle.Site{Name: "prod", Promotion: lifecycle.Promotion{From: []string{"lab"}, Soak: time.Hour}}
	if _, err := gate.Judge(t.Context(), site, time.Now()); err == nil || !strings.Contains(err.Error(), "can't be read") {
		t.Errorf("another site's file passes for evidence: %v", err)
	}
}
