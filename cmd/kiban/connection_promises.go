package main

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

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
