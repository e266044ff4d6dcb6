package selector

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestMatches(t *testing.T) {
	site := lifecycle.Site{Name: "tokyo-prod", Wave: 2, Provider: lifecycle.ProviderK0s,
		Labels: map[string]string{"tier": "production", "region": "tokyo", "kiban.dev/name": "another", "shop.example.com/size": "l"}}
	for text, want := range map[string]bool{
		"tier=production":                           true,
		"tier==production,region!=eu":               true,
		"tier=production,region=eu":                 false,
		"tier in (staging,production)":              true,
		"tier notin (staging,production)":           false,
		"tier,region":                               true,
		"!tier":                                     false,
		"!rack":                                     true,
		"rack!=a":                                   true, // as kubectl has it: what has no such label differs
		"shop.example.com/size=l":                   true,
		"kiban.dev/name=tokyo-prod":                 true, // whatever its Site says
		"kiban.dev/name=another":                    false,
		"kiban.dev/wave=2,kiban.dev/provider=k0s":   true,
		"kiban.dev/wave in (1,3)":                   false,
		"kiban.dev/wave>1,kiban.dev/wave<3":         true,
		" tier = production , region in ( tokyo ) ": true,
	} {
		s, err := Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := s.Matches(site); got != want {
			t.Errorf("%q matches: %v, want %v", text, got, want)
		}
	}
	if !(Selector{}).Matches(site) {
		t.Error("no selector leaves sites out")
	}
}

// TestMalformed: what can't be read is an error that says what may be written; it never matches all sites, nor none.
func TestMalformed(t *testing.T) {
	for _, text := range []string{"", "  ", "tier=production=x", "tier in", "tier in (a", "=x", "tier=production,,", "tier=a b", "-tier=a",
		"tier=_", "a/b/c=d", "tier>high", "tier=production\x1b[2J"} {
		_, err := Parse(text)
		if err == nil {
			t.Errorf("%q was read", text)
			continue
		}
		d := lifecycle.AsDiagnostics(err, "")[0]
		if !strings.Contains(d.Hint, "label in (a,b)") || d.Detail == "" || strings.Contains(d.Summary+d.Detail, "\x1b") {
			t.Errorf("%q: %+v", text, d)
		}
	}
}
