package helm

import (
	release "helm.sh/helm/v4/pkg/release/v1"

	"kiban.dev/kiban/lifecycle"
)

// hook is one object of a chart's hooks, as it was rendered once.
type hook struct {
	lifecycle.Object
	when []string
}

// hooksOf are the objects that Helm makes before or after the others, in the order in which it does. Tests are left out: people run them.
func hooksOf(hooks []*release.Hook, namespace, source string) ([]hook, error) {
	var out []hook
	for _, h := range hooks {
		var when []string
		for _, e := range h.Events {
			if e != release.HookTest {
				when = append(when, e.String())
			}
		}
		if len(when) == 0 {
			continue
		}
		objects, err := decode([]byte(h.Manifest), source)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			if o.Namespace == "" && !clusterWide(o.Kind) {
				o.Namespace = namespace
			}
			out = append(out, hook{o, when})
		}
	}
	return out, nil
}

func hooked(hooks []hook) []lifecycle.Object {
	var out []lifecycle.Object
	for _, h := range hooks {
		out = append(out, h.Object)
	}
	return out
}

// steady names the hooks, with digests that are the same at each rendering. A name that is another each time loses what differs of it, and
// the hook's contents do not count.
func steady(first, second []hook) []lifecycle.Hook {
	var out []lifecycle.Hook
	volatile := differences(hooked(first), hooked(second))
	for i, h := range first {
		named := lifecycle.Hook{ObjectRef: h.ObjectRef, When: h.when}
		switch {
		case len(first) == len(second) && h.Kind == second[i].Kind && h.Name != second[i].Name:
			named.Name = sharedStart(h.Name, second[i].Name) + "…"
		default:
			named.Digest = lifecycle.DigestObject(h.Object, volatile, nil)
		}
		out = append(out, named)
	}
	return out
}

// sharedStart is how both begin.
func sharedStart(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return a[:i]
}
