package lifecycle

import (
	"net/url"
	"testing"
)

func TestMayLead(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string
		times    int
		may      bool
	}{
		"to where a forge keeps its files":      {"https://github.com/a", "https://objects.githubusercontent.com/b", 1, true},
		"from plain http to https":              {"http://mirror.lan/a", "https://mirror.lan/a", 1, true},
		"on one host, which speaks no TLS":      {"http://mirror.lan:8080/a", "http://mirror.lan:8080/b", 1, true},
		"from https to plain http":              {"https://charts.example/a", "http://charts.example/a", 1, false},
		"to what only this machine reaches":     {"https://charts.example/a", "http://169.254.169.254/latest/meta-data", 1, false},
		"from plain http to another host":       {"http://mirror.lan/a", "http://169.254.169.254/latest/meta-data", 1, false},
		"to another port":                       {"http://mirror.lan/a", "http://mirror.lan:2375/containers", 1, false},
		"to a file":                             {"https://charts.example/a", "file:///etc/passwd", 1, false},
		"on and on":                             {"https://charts.example/a", "https://charts.example/a", 6, false},
		"as often as downloads of releases are": {"https://charts.example/a", "https://charts.example/a", 5, true},
	} {
		from, errFrom := url.Parse(c.from)
		to, errTo := url.Parse(c.to)
		if errFrom != nil || errTo != nil {
			t.Fatal(errFrom, errTo)
		}
		if err := MayLead(from, to, c.times); (err == nil) != c.may {
			t.Errorf("%s: %v", name, err)
		}
	}
}
