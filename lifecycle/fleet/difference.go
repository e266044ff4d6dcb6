package fleet

import (
	"context"
	"errors"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/diff"
	"kiban.dev/kiban/lifecycle/render"
)

// Difference is what a site's declaration changes from one revision to another; a nil to is the work tree. A site that was renamed is
// compared with what it was called.
func (s Source) Difference(ctx context.Context, fleet, site, fromRevision string, toRevision *string) (out render.DeclaredDiff, err error) {
	from, doneFrom, err := s.At(fleet, fromRevision)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, doneFrom()) }()
	to, err := s.Now(fleet)
	if toRevision != nil {
		var doneTo func() error
		to, doneTo, err = s.At(fleet, *toRevision)
		defer func() { err = errors.Join(err, doneTo()) }()
	}
	if err != nil {
		return out, err
	}

	out = render.DeclaredDiff{Site: site, From: from.Revision, To: to.Revision, Changes: []lifecycle.DeclaredChange{}}
	var was, is diff.Declaration
	var found, now lifecycle.Diagnostics
	if !from.Has(site) && !to.Has(site) {
		return out, s.nowhere(ctx, fleet, site)
	}
	former := site
	if !from.Has(site) {
		if former, err = Formerly(ctx, from, to, site); err != nil {
			return out, err
		}
	}
	if former != "" {
		was, found = from.Read(ctx, former)
	}
	if to.Has(site) {
		is, now = to.Read(ctx, site)
	}
	if ds := Errors(append(found, now...)); len(ds) > 0 {
		return out, ds
	}
	switch {
	case former == "":
		out.Changes = append(out.Changes, lifecycle.DeclaredChange{Subject: "site", Kind: lifecycle.DeclaredAdded,
			To: render.SiteSummary(is.Site)})
	case !to.Has(site):
		out.Changes = append(out.Changes, lifecycle.DeclaredChange{Subject: "site", Kind: lifecycle.DeclaredRemoved,
			From: render.SiteSummary(was.Site),
			Note: "its cluster goes on running, and nobody looks after it"})
	default:
		out.Changes = append(out.Changes, diff.Compare(was, is)...)
		out.Form = len(out.Changes) == 0 && !diff.Same(was, is)
	}
	return out, nil
}

// nowhere says of a site that neither side has what is wrong with its name.
func (s Source) nowhere(ctx context.Context, fleet, site string) error {
	if _, ds := s.Load(ctx, fleet, site, ""); ds.Err() != nil {
		return ds
	}
	return lifecycle.Errorf(site, "neither revision has a site %q", site).
		Because("The work tree has it.").
		Try("Leave --to out, to compare with the work tree.")
}
