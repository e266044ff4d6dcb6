package site

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestPlainHTTPMustBePinned(t *testing.T) {
	sum := map[string]string{"v1.36.3+k0s.2/amd64": strings.Repeat("ab", 32)}
	const mirror, sums = "http://mirror.lan/{version}/k0s-{arch}", "http://mirror.lan/sums"
	for name, c := range map[string]struct {
		binary  lifecycle.Binaries
		key     string
		refused bool
	}{
		"nothing declared":         {},
		"https":                    {binary: lifecycle.Binaries{URL: "https://m/k0s", Checksums: "https://m/sums"}},
		"both over http":           {binary: lifecycle.Binaries{URL: mirror, Checksums: sums}, refused: true},
		"in capitals":              {binary: lifecycle.Binaries{URL: "HTTP://mirror.lan/k0s", Checksums: sums}, refused: true},
		"the sums where k0s is":    {binary: lifecycle.Binaries{URL: mirror}, refused: true},
		"sums over https":          {binary: lifecycle.Binaries{URL: mirror, Checksums: "https://m/sums"}},
		"pinned":                   {binary: lifecycle.Binaries{URL: mirror, Checksums: sums, SHA256: sum}},
		"signed":                   {binary: lifecycle.Binaries{URL: mirror, Checksums: sums}, key: "a key"},
		"from this machine itself": {binary: lifecycle.Binaries{URL: "http://127.0.0.1:8080/k0s", Checksums: "http://localhost/sums"}},
		"from a name like it": {binary: lifecycle.Binaries{URL: "http://localhost.lan/k0s", Checksums: "http://127.0.0.1.lan/sums"},
			refused: true},
	} {
		site := lifecycle.Site{Name: "tokyo", Binary: c.binary, Fleet: lifecycle.Fleet{K0sSigningKey: c.key}}
		if got := checkBinariesTransport(site); (len(got) == 1) != c.refused {
			t.Errorf("%s: %+v", name, got)
		}
	}

	chart := lifecycle.Chart{Repo: "http://charts.lan", Name: "web", Version: "1.0.0"}
	site := lifecycle.Site{Name: "tokyo", Addons: []lifecycle.Addon{{Name: "web", Chart: &chart, Manifests: []string{"http://m.lan/a.yaml",
		"b.yaml"}}}}
	judge := func(unpinned bool) (severities []lifecycle.Severity) {
		l := loader{site: &site, opts: Options{Unpinned: unpinned}}
		l.checkTransport()
		for _, f := range l.findings {
			severities = append(severities, f.severity)
		}
		return severities
	}
	if got := judge(false); len(got) != 2 || got[0] != lifecycle.SeverityError || got[1] != lifecycle.SeverityError {
		t.Errorf("not pinned: %v", got)
	}
	if got := judge(true); len(got) != 2 || got[0] != lifecycle.SeverityWarning {
		t.Errorf("about to be pinned: %v", got)
	}
	site.Pins = &lifecycle.Pins{Charts: []lifecycle.ChartPin{{Repo: chart.Repo, Name: chart.Name, Version: chart.Version}},
		Manifests: []lifecycle.ManifestPin{{URL: "http://m.lan/a.yaml"}}}
	if got := judge(false); len(got) != 0 {
		t.Errorf("pinned: %v", got)
	}
}
