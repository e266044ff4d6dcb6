package helm

import (
	"slices"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// What a plan says of hooks is the same at each rendering, and another when what they do is another.
func TestHooksAreSteady(t *testing.T) {
	job := func(name, image string) hook {
		return hook{lifecycle.Object{ObjectRef: lifecycle.ObjectRef{APIVersion: "batch/v1", Kind: "Job", Namespace: "gates", Name: name},
			JSON: []byte(`{"kind":"Job","metadata":{"name":"` + name + `"},"spec":{"image":"` + image + `","token":"` + name + image + `"}}`)},
			[]string{"pre-install"}}
	}
	names := func(hooks []lifecycle.Hook) (out []string) {
		for _, h := range hooks {
			out = append(out, h.String())
		}
		return out
	}
	same := steady([]hook{job("init", "a"), job("check-x7f", "a")}, []hook{job("init", "a"), job("check-9qd", "a")})
	if want := []string{"Job gates/init", "Job gates/check-…"}; !slices.Equal(names(same), want) {
		t.Errorf("hooks %q, want %q", names(same), want)
	}
	again := steady([]hook{job("init", "a"), job("check-0aa", "a")}, []hook{job("init", "a"), job("check-zzz", "a")})
	other := steady([]hook{job("init", "b"), job("check-0aa", "a")}, []hook{job("init", "b"), job("check-zzz", "a")})
	for i := range same {
		if same[i].Digest != again[i].Digest {
			t.Errorf("%s: another digest at another rendering", same[i].Name)
		}
	}
	if same[0].Digest == "" || same[0].Digest == other[0].Digest {
		t.Errorf("%s: the same digest with another image", same[0].Name)
	}
	noise := func(token string) hook {
		h := job("init", "a")
		h.JSON = []byte(`{"kind":"Job","metadata":{"name":"init"},"spec":{"image":"a","token":"` + token + `"}}`)
		return h
	}
	one, two := steady([]hook{noise("1")}, []hook{noise("2")}), steady([]hook{noise("3")}, []hook{noise("4")})
	if one[0].Digest != two[0].Digest {
		t.Error("a value of chance counts")
	}
}
