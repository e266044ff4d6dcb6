package scaffold

import (
	"context"
	"os"

	"kiban.dev/kiban/lifecycle"
)

// Addition is a site that a fleet is to have besides its others.
type Addition struct {
	Fleet, Name string
	// From is a site that it is made after; "" makes it upon the base.
	From string
	// Version is its k0s version; "" takes that of From, or the newest of Others.
	Version string
	// Controllers and Workers are its machines, "ADDRESS" or "NAME=ADDRESS".
	Controllers, Workers []string
	// Others are the fleet's sites that can be read.
	Others []lifecycle.Site
}

// Make makes the site's overlay and reads it, with load, and with check holds it against the others. An overlay upon the base that is not
// valid is taken away again; a copy is kept, for it is there to be changed. The findings are what is wrong with it.
func (a Addition) Make(ctx context.Context, load func(ctx context.Context, name string) (lifecycle.Site, lifecycle.Diagnostics),
	check func([]lifecycle.Site) lifecycle.Diagnostics) (made lifecycle.Site, found lifecycle.Diagnostics, err error) {
	overlay, err := FreeOverlay(a.Fleet, a.Name)
	if err != nil {
		return made, nil, err
	}
	site, err := a.site()
	if err != nil {
		return made, nil, err
	}
	files, err := site.NewOverlay(a.Fleet, a.From, a.Others)
	if err != nil {
		return made, nil, err
	}
	if err := MakeOverlay(overlay, files); err != nil {
		return made, nil, err
	}
	made, found = load(ctx, a.Name)
	if found.Err() == nil {
		found = append(found, Fresh(check(a.Others), check(append(a.Others, made)))...)
	}
	if a.From != "" {
		return made, append(found, Leftovers(a.Name, files, site.Machines)...), nil
	}
	if found.Err() != nil {
		err = os.RemoveAll(overlay)
	}
	return made, found, err
}

func (a Addition) site() (Site, error) {
	if a.Version != "" {
		if _, err := lifecycle.ParseVersion(a.Version); err != nil {
			return Site{}, lifecycle.Errorf(a.Version, "the version is not exact").From(err)
		}
	}
	controllers, err := Machines(a.Name, lifecycle.RoleController, a.Controllers)
	if err != nil {
		return Site{}, err
	}
	workers, err := Machines(a.Name, lifecycle.RoleWorker, a.Workers)
	return Site{Name: a.Name, Version: a.Version, Machines: append(controllers, workers...)}, err
}
