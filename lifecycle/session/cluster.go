package session

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

func (w *world) Runs(ctx context.Context) ([]lifecycle.RunRecord, error) { return w.api.Runs(ctx) }

// recordRun has the cluster keep a run's record.
func (w *world) recordRun(ctx context.Context, r lifecycle.RunRecord) error {
	api, err := w.ownCluster(ctx)
	if err != nil {
		return err
	}
	return api.RecordRun(ctx, r)
}

func (w *world) UpdateTold(ctx context.Context, edit func(map[string]lifecycle.Told)) error {
	api, err := w.ownCluster(ctx)
	if err != nil {
		return err
	}
	return api.UpdateTold(ctx, edit)
}

func (w *world) Soak(ctx context.Context) (lifecycle.Soak, error) {
	api, err := w.ownCluster(ctx)
	if err != nil {
		return lifecycle.Soak{}, err
	}
	return api.Soak(ctx)
}

func (w *world) KeepSoak(ctx context.Context, next func(prev lifecycle.Soak) lifecycle.Soak) (lifecycle.Soak, error) {
	api, err := w.ownCluster(ctx)
	if err != nil {
		return lifecycle.Soak{}, err
	}
	w.keepAllRequests(ctx)
	return api.KeepSoak(ctx, next)
}

func (w *world) TenantUse(ctx context.Context) ([]lifecycle.TenantUse, error) {
	api, err := w.ownCluster(ctx)
	if err != nil {
		return nil, err
	}
	return api.TenantUse(ctx, w.site.Tenants)
}

func (w *world) Verify(ctx context.Context, run string, progress func(string)) ([]lifecycle.Promise, error) {
	api, err := w.ownCluster(ctx)
	if err != nil {
		return nil, err
	}
	return api.Verify(ctx, w.site.Platform, run, progress), nil
}
