package main

import (
	"context"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/kube"
)

// ownCluster is the client for a cluster that nothing says to be another site's.
func (c *siteConnection) ownCluster(ctx context.Context) (*kube.Client, error) {
	api, err := c.client(ctx)
	if err != nil {
		return nil, err
	}
	uid, marked, err := api.Identity(ctx)
	if err != nil {
		return nil, err
	}
	if d, other := c.site.OtherCluster(uid, marked); other {
		return nil, d
	}
	return api, nil
}

func (c *siteConnection) TenantUse(ctx context.Context) ([]lifecycle.TenantUse, error) {
	api, err := c.ownCluster(ctx)
	if err != nil {
		return nil, err
	}
	return api.TenantUse(ctx, c.site.Tenants)
}

func (c *siteConnection) Verify(ctx context.Context, run string, progress func(string)) ([]lifecycle.Promise, error) {
	api, err := c.ownCluster(ctx)
	if err != nil {
		return nil, err
	}
	return api.Verify(ctx, c.site.Platform, run, progress), nil
}
