package addons

import (
	"slices"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func job(name, digest string, when ...string) lifecycle.Hook {
	return lifecycle.Hook{ObjectRef: lifecycle.ObjectRef{APIVersion: "batch/v1", Kind: "Job", Namespace: "shop", Name: name}, When: when,
		Digest: digest}
}

func TestHooksThatRun(t *testing.T) {
	a := shop("1")
	u := &unit{name: a.Unit(), addon: &a}
	u.rendered.Hooks = []lifecycle.Hook{job("seed", "1", "post-install"), job("check", "1", "pre-install", "pre-upgrade"),
		job("undo", "1", "post-rollback"), job("farewell", "1", "pre-delete")}
	for _, tt := range []struct {
		name string
		got  []string
		want []string
	}{
		{"install", u.hooks(lifecycle.Release{}), []string{"Job shop/check, before install", "Job shop/seed, after install"}},
		{"upgrade", u.hooks(lifecycle.Release{Status: "deployed"}),
			[]string{"Job shop/check, before upgrade", "Job shop/undo, after going back, if it fails"}},
		{"removal", lastHooks(lifecycle.Release{Hooks: u.rendered.Hooks}), []string{"Job shop/farewell, before removal"}},
		{"no chart", (&unit{}).hooks(lifecycle.Release{}), nil},
	} {
		if !slices.Equal(tt.got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
	was, objects := u.digest(), u.objectsDigest()
	u.rendered.Hooks[0].Digest = "2"
	if u.digest() == was || u.objectsDigest() != objects {
		t.Error("a hook that does something else is not another declaration, or its objects are others")
	}
}

// An observation tells which hooks run, of what is to come, to change and to go.
func TestHooksAreObserved(t *testing.T) {
	c := stocked()
	c.hooks = []lifecycle.Hook{job("check", "1", "pre-install", "pre-upgrade", "post-delete")}
	for _, tt := range []struct {
		site lifecycle.Site
		want string
	}{{siteOf(shop("1")), "Job shop/check, before install"}, {siteOf(shop("2")), "Job shop/check, before upgrade"},
		{siteOf(), "Job shop/check, after removal"}} {
		if got := stateOf(t, c.engine(tt.site), "addon/shop").Hooks; !slices.Equal(got, []string{tt.want}) {
			t.Errorf("hooks %q, want %q", got, tt.want)
		}
		if len(tt.site.Addons) > 0 {
			mustConverge(t, c.engine(tt.site))
		}
	}
}
