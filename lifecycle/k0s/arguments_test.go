package k0s

import (
	"slices"
	"testing"
)

// What is spelled otherwise and says the same compares as the same: whoever spells out a default restarts nobody.
func TestSpellingsOfArguments(t *testing.T) {
	for _, c := range []struct {
		name     string
		one, two []string
	}{
		{"a switch that is off", []string{"--debug=false", "--enable-worker=false"}, nil},
		{"a switch alone", []string{"--debug"}, []string{"--debug=true"}},
		{"a short form", []string{"-d"}, []string{"--debug"}},
		{"a blank, an equals sign", []string{"--profile gpu"}, []string{"--profile=gpu"}},
		{"quotes", []string{`--labels="a=b,c=d"`}, []string{"--labels=c=d,a=b"}},
		{"a list in two entries", []string{"--labels=a=b", "--labels=c=d"}, []string{"--labels=a=b,c=d"}},
		{"a list with what it has already", []string{"--taints=a:NoSchedule", "--taints=a:NoSchedule"}, []string{"--taints=a:NoSchedule"}},
		{"the kubelet's, in another order", []string{"--kubelet-extra-args='--v=2  --max-pods=50'"},
			[]string{"--kubelet-extra-args=--max-pods=50 --v=2"}},
		{"the usual folder", []string{"--data-dir=/var/lib/k0s"}, nil},
		{"what is no part of the service", []string{"--force", "--start", "--env=A=b", "--token-file=/etc/k0s/k0stoken"}, nil},
	} {
		if one, two := normalise(c.one, false), normalise(c.two, false); !slices.Equal(one, two) {
			t.Errorf("%s: %q and %q", c.name, one, two)
		}
	}
	if on, off := normalise([]string{"--debug"}, false), normalise([]string{"--debug", "--debug=false"}, false); slices.Equal(on, off) {
		t.Errorf("the last one counts: %q", off)
	}
}
