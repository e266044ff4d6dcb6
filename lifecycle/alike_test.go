package lifecycle

import "testing"

// TestAboutAny: remedies that differ by whom they are about are the same, others are not.
func TestAboutAny(t *testing.T) {
	const edit = "Raise the replicas of Deployment shop/web. Or: kubectl --namespace shop edit poddisruptionbudget web-pdb"
	for name, c := range map[string]struct {
		text, subject, other, of string
		same                     bool
	}{
		"another object": {edit, "shop/web-pdb", "Raise the replicas of Deployment pay/api. Or: kubectl --namespace pay edit " +
			"poddisruptionbudget api-pdb", "pay/api-pdb", true},
		"another remedy": {edit, "shop/web-pdb", "Loosen it: kubectl --namespace pay edit poddisruptionbudget api-pdb",
			"pay/api-pdb", false},
		"another's name": {edit, "shop/web-pdb", "Raise the replicas of Deployment shop/web. Or: kubectl --namespace shop edit " +
			"poddisruptionbudget web-pdb", "pay/api-pdb", false},
		"a kind before the name": {"kubectl --namespace shop edit limitrange sizes", "Deployment shop/web",
			"kubectl --namespace pay edit limitrange sizes", "Deployment pay/web", true},
		"a machine":              {"kiban node logs lab w1", "w1", "kiban node logs lab w2", "w2", true},
		"a name within another":  {"kiban node logs lab w1", "w1", "kiban node logs lab w10", "w1", false},
		"an API is no namespace": {"Write networking.k8s.io/v1", "a/b", "Write resource.k8s.io/v1", "c/d", false},
		"no subject":             {"x", "", "x", "", true},
	} {
		if a, b := AboutAny(c.text, c.subject), AboutAny(c.other, c.of); (a == b) != c.same {
			t.Errorf("%s: %q and %q", name, a, b)
		}
	}
	if got := Alike([]string{"a", "b", "c", "d", "e"}); got != "5 alike: a, b, c and 2 more" {
		t.Error(got)
	}
	if got := Alike([]string{"a", "b", "c", "d"}); got != "a, b, c, d" {
		t.Error(got)
	}
}

// TestAboutAnyBytes: a subject that is no text is left as it is.
func TestAboutAnyBytes(t *testing.T) {
	for _, bytes := range []string{"a\xff\xfe/b", "a\xff"} {
		if got := AboutAny("see a/c and "+bytes, bytes); got != "see a/c and "+bytes {
			t.Errorf("%q", got)
		}
	}
}
