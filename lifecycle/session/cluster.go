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

func (w *world) Contents(ctx context.Context) (lifecycle.Contents, error) {
	api, err := w.ownCluster(ctx)
	if err != nil {
		return lifecycle.Contents{}, err
	}
	return api.Contents(ctx)
}

func (w *world) ReadBack(ctx context.Context) (lifecycle.Contents, int, error) {
	return w.api.ReadBack(ctx)
}

func (w *world) BackupRecords(ctx context.Context) ([]lifecycle.BackupRecord, error) {
	api, err := w.ownCluster(ctx)
	if err != nil {
		return nil, err
	}
	return api.Backups(ctx)
}

func (w *world) RecordBackup(ctx context.Context, r lifecycle.BackupRecord) error {
	api, err := w.ownCluster(ctx)
	if err != nil {
		return err
	}
	return api.RecordBackup(ctx, r)
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
