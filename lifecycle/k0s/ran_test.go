package k0s

import (
	"slices"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestRanSince: only a log that reaches back and was read to its end says what was not started.
func TestRanSince(t *testing.T) {
	for text, want := range map[string]struct {
		ran   []string
		known bool
	}{
		"":                                  {nil, false},
		"log\ncomponent=whole\n":            {nil, true},
		"log\ncomponent=etcd\n":             {[]string{lifecycle.PartEtcd}, false},
		"component=etcd\ncomponent=whole\n": {[]string{lifecycle.PartEtcd}, false},
		"log\ncomponent=etcd\ncomponent=kube-apiserver\ncomponent=whole\n": {[]string{lifecycle.PartEtcd, lifecycle.PartAPIServer}, true},
		"log\ncomponent=kine\ncomponent=other\ncomponent=whole\n":          {[]string{lifecycle.PartKine}, true},
	} {
		if ran, known := ranSince(text); !slices.Equal(ran, want.ran) || known != want.known {
			t.Errorf("%q: %v, %t", text, ran, known)
		}
	}
}

// TestKeptFormerOutlivesItsSuccessors: where a version failed in the place of the former one, the next does not push that out.
func TestKeptFormerOutlivesItsSuccessors(t *testing.T) {
	v := func(s string) lifecycle.Version {
		v, err := lifecycle.ParseVersion(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	good, bad, fixed := v("v1.35.7+k0s.0"), v("v1.36.2+k0s.0"), v("v1.36.3+k0s.2")
	task := func(from lifecycle.Version) *task {
		return &task{step: lifecycle.Step{From: from, Version: fixed},
			on: &remote{machine: &machine{host: lifecycle.Host{Role: lifecycle.RoleController}}}}
	}
	if task(good).keeps(facts{host: lifecycle.HostState{Binary: bad, Former: good}}, fixed) {
		t.Error("the one that failed is kept in the place of the one that ran")
	}
	if !task(bad).keeps(facts{host: lifecycle.HostState{Binary: bad, Former: good}}, fixed) {
		t.Error("one that ran well since is not kept")
	}
	if !task(bad).keeps(facts{host: lifecycle.HostState{Binary: bad}}, fixed) {
		t.Error("nothing is kept")
	}
}
