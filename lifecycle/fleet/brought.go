package fleet

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// Brought is the last change of what is declared of a site: where what is there now was reviewed.
type Brought struct {
	// Commit made the site what it is now; "" is the one that is checked out.
	Commit string
	// Labels are those that the site had before; Known is false where there was none, or it could not be read.
	Labels map[string]string
	Known  bool
	// Unknown says why the change could not be found.
	Unknown string
}

// broughtBack is how many commits of the branch are looked through for a change.
const broughtBack = 200

// Brought finds the last change of each of the sites among the commits of the branch that is checked out: of a merge the side that it
// went into. Of a site that was changed and changed back, it is the change back. Commits are compared by what git calls their files and
// folders, and nothing is written out of one that touched none of the sites.
func (s Source) Brought(ctx context.Context, fleet string, sites []string) (_ map[string]Brought, err error) {
	now, err := s.Now(fleet)
	if err != nil {
		return nil, err
	}
	out, left, newer, clear := map[string]Brought{}, slices.Clone(sites), now, func() error { return nil }
	if len(left) == 0 {
		return out, nil
	}
	defer func() { err = errors.Join(err, clear()) }()
	open, err := s.Open(fleet)
	known := map[string][]string{} // what sites of newer are made of
	for back := 1; err == nil && len(left) > 0 && back <= broughtBack; back++ {
		var then Declared
		var done func() error
		if then, done, err = s.at(open, fleet, fmt.Sprintf("HEAD~%d", back)); err != nil {
			return s.ended(out, left, back, errors.Join(err, done()))
		}
		changed, failed := changedHere(ctx, then, newer, now, left, known)
		failed, clear = errors.Join(failed, clear()), done
		if failed != nil {
			return s.ended(out, left, back, failed)
		}
		for name, before := range changed {
			before.Commit = newer.Revision
			out[name] = before
		}
		left = slices.DeleteFunc(left, func(name string) bool { _, found := changed[name]; return found })
		newer = then
	}
	if err != nil {
		return s.ended(out, left, 1, err)
	}
	return unfound(out, left, fmt.Sprintf("none of the last %d commits changed it", broughtBack)), nil
}

// ended says of the sites that are left that history can't be followed further; an error that is none of its own stays one.
func (s Source) ended(out map[string]Brought, left []string, back int, err error) (map[string]Brought, error) {
	d, told := errors.AsType[lifecycle.Diagnostic](err)
	if !told {
		return nil, err
	}
	return unfound(out, left, fmt.Sprintf("of the %s that are here none changed it: %s", lifecycle.Count(back, "commit"), d.Error())), nil
}

func unfound(of map[string]Brought, sites []string, why string) map[string]Brought {
	for _, name := range sites {
		of[name] = Brought{Unknown: why}
	}
	return of
}

// changedHere are those of the sites that newer changed, then being the commit before it, each as it was then. The work tree, now,
// declares them as newer does. That is told as Between tells it: a site that the main branch's pipeline has a job for is one that
// changed here, too. A site is built only where newer touched what it is made of: few commits do. known is what sites of newer are made
// of, as far as that is known, and becomes that of then.
func changedHere(ctx context.Context, then, newer, now Declared, sites []string, known map[string][]string) (map[string]Brought, error) {
	files, err := comparisonOf(then, newer)
	if err != nil {
		return nil, err
	}
	if len(files.differing(now.source.Also)) > 0 {
		defer clear(known) // what a site is made of then may be more
	}
	var doubtful []string
	for _, name := range sites {
		reads, told := known[name]
		if !told {
			reads, told = newer.reads(name)
		}
		if known[name] = reads; !told || !then.Has(name) || len(files.differing(reads)) > 0 {
			doubtful = append(doubtful, name)
			delete(known, name)
		}
	}
	if err := then.Prepare(doubtful...); err != nil {
		return nil, err
	}
	was, changed := make([]Brought, len(doubtful)), make([]bool, len(doubtful))
	err = AtOnce(ctx, len(doubtful), runtime.GOMAXPROCS(0), func(i int) {
		row, _ := changedSince(ctx, then, now, doubtful[i])
		if changed[i] = row.Change != ""; changed[i] && then.Has(doubtful[i]) {
			d, ds := then.Read(ctx, doubtful[i])
			was[i] = Brought{Labels: d.Site.Labels, Known: ds.Err() == nil}
		}
	})
	out := map[string]Brought{}
	for i, name := range doubtful {
		if changed[i] {
			out[name] = was[i]
		}
	}
	return out, err
}
