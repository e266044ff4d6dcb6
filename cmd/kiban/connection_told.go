package main

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

func (c *siteConnection) UpdateTold(ctx context.Context, edit func(map[string]lifecycle.Told)) error {
	api, err := c.ownCluster(ctx)
	if err != nil {
		return err
	}
	return api.UpdateTold(ctx, edit)
}
