package main

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

func (l lazyAPI) Compare(ctx context.Context, objs []lifecycle.Object, opts lifecycle.CompareOptions) ([]lifecycle.ObjectChange, []string, error) {
	api, err := l.c.client(ctx)
	if err != nil {
		return nil, nil, err
	}
	return api.Compare(ctx, objs, opts)
}

func (l lazyAPI) ApplyObjects(ctx context.Context, objs []lifecycle.Object, namespace string, progress func(string)) error {
	api, err := l.c.client(ctx)
	if err != nil {
		return err
	}
	return api.ApplyObjects(ctx, objs, namespace, progress)
}

func (l lazyAPI) DeleteObjects(ctx context.Context, refs []lifecycle.ObjectRef, progress func(string)) error {
	api, err := l.c.client(ctx)
	if err != nil {
		return err
	}
	return api.DeleteObjects(ctx, refs, progress)
}

func (l lazyAPI) Health(ctx context.Context, refs []lifecycle.ObjectRef) ([]lifecycle.ObjectHealth, error) {
	api, err := l.c.client(ctx)
	if err != nil {
		return nil, err
	}
	return api.Health(ctx, refs)
}

func (l lazyAPI) Inventories(ctx context.Context) ([]lifecycle.Inventory, error) {
	api, err := l.c.client(ctx)
	if err != nil {
		return nil, err
	}
	return api.Inventories(ctx)
}

func (l lazyAPI) WriteInventory(ctx context.Context, inv lifecycle.Inventory) error {
	api, err := l.c.client(ctx)
	if err != nil {
		return err
	}
	return api.WriteInventory(ctx, inv)
}

func (l lazyAPI) DeleteInventory(ctx context.Context, unit string) error {
	api, err := l.c.client(ctx)
	if err != nil {
		return err
	}
	return api.DeleteInventory(ctx, unit)
}

func (l lazyAPI) Capabilities(ctx context.Context) (lifecycle.Capabilities, error) {
	api, err := l.c.client(ctx)
	if err != nil {
		return lifecycle.Capabilities{}, err
	}
	return api.Capabilities(ctx)
}

func (l lazyAPI) Place(ctx context.Context, objs []lifecycle.Object, namespace string, coming []lifecycle.Object) ([]lifecycle.Object, error) {
	api, err := l.c.client(ctx)
	if err != nil {
		return nil, err
	}
	return api.Place(ctx, objs, namespace, coming)
}

func (l lazyAPI) Existing(ctx context.Context, refs []lifecycle.ObjectRef) ([]lifecycle.ObjectRef, error) {
	api, err := l.c.client(ctx)
	if err != nil {
		return nil, err
	}
	return api.Existing(ctx, refs)
}

func (l lazyAPI) MarkSite(ctx context.Context, site string) error {
	api, err := l.c.client(ctx)
	if err != nil {
		return err
	}
	return api.MarkSite(ctx, site)
}

// lazyReleases are the Helm releases of a site's cluster, as lazyAPI is its API.
type lazyReleases struct{ c *siteConnection }

func (l lazyReleases) Release(ctx context.Context, namespace, name string) (lifecycle.Release, error) {
	h, err := l.c.helm(ctx)
	if err != nil {
		return lifecycle.Release{}, err
	}
	return h.Release(ctx, namespace, name)
}

func (l lazyReleases) Deploy(ctx context.Context, site lifecycle.Site, a lifecycle.Addon, caps lifecycle.Capabilities, progress func(string)) error {
	h, err := l.c.helm(ctx)
	if err != nil {
		return err
	}
	return h.Deploy(ctx, site, a, caps, progress)
}

func (l lazyReleases) Rollback(ctx context.Context, namespace, name string, revision int, progress func(string)) error {
	h, err := l.c.helm(ctx)
	if err != nil {
		return err
	}
	return h.Rollback(ctx, namespace, name, revision, progress)
}

func (l lazyReleases) Uninstall(ctx context.Context, namespace, name string) error {
	h, err := l.c.helm(ctx)
	if err != nil {
		return err
	}
	return h.Uninstall(ctx, namespace, name)
}
