package addons

import (
	"context"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// Declared are the objects and hooks of each declared unit, rendered for a cluster with those capabilities. A unit that can't be had says
// why. Nothing is asked of the cluster, so objects that name no namespace have none here.
func (e *Engine) Declared(ctx context.Context, caps lifecycle.Capabilities) []lifecycle.From[[]lifecycle.Object] {
	var out []lifecycle.From[[]lifecycle.Object]
	for _, u := range e.declared(ctx, caps) {
		one := lifecycle.From[[]lifecycle.Object]{Name: u.name}
		if err := u.found.Err(); err != nil {
			one.Unknown = lifecycle.InWords(err)
		} else {
			one.Value = slices.Clone(u.all())
			for _, h := range u.rendered.Hooks {
				one.Value = append(one.Value, lifecycle.Object{ObjectRef: h.ObjectRef, Source: u.source()})
			}
		}
		out = append(out, one)
	}
	return out
}

// source is what the unit's chart is called where objects name their source.
func (u *unit) source() string {
	if c := u.chart(); c != nil {
		return "chart " + c.Name + "-" + c.Version + ".tgz"
	}
	return ""
}
