package diff

import "kiban.dev/kiban/lifecycle"

// otherBytes is noted of what a lock file pins anew without another version.
const otherBytes = "other bytes under the same name"

// pins compares lock files: a chart whose version changes is one chart, and one whose bytes change without its version is pointed out.
func pins(from, to *lifecycle.Pins) []lifecycle.DeclaredChange {
	a, b := locked(from), locked(to)
	out := fields(lifecycle.PinsFile, "", a, b, open)
	for i, c := range out {
		steps := lifecycle.SplitField(c.Path)
		if c.Kind != lifecycle.DeclaredChanged || len(steps) < 2 {
			continue
		}
		version := lifecycle.FieldKey(lifecycle.FieldKey(steps[0].Key, steps[1].Key), "version")
		was, has := lifecycle.FieldValue(a, version)
		is, _ := lifecycle.FieldValue(b, version)
		if steps[len(steps)-1].Key == "digest" && has && was != is {
			continue // another version is other bytes
		}
		if steps[len(steps)-1].Key != "version" {
			out[i].Note = otherBytes
		}
	}
	return out
}

func locked(p *lifecycle.Pins) map[string]any {
	if p == nil {
		p = &lifecycle.Pins{}
	}
	seen := map[string]int{}
	for _, c := range p.Charts {
		seen[c.Name+" of "+c.Repo]++
	}
	charts, manifests := map[string]any{}, map[string]any{}
	for _, c := range p.Charts {
		name := c.Name + " of " + c.Repo
		if seen[name] > 1 {
			name = c.Name + " " + c.Version + " of " + c.Repo
		}
		charts[name] = map[string]any{"version": c.Version, "digest": c.Digest}
	}
	for _, m := range p.Manifests {
		manifests[m.URL] = m.Digest
	}
	return map[string]any{"charts": charts, "manifests": manifests, "k0s": plain(p.K0s)}
}
