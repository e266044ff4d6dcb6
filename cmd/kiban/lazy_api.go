package main

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

// lazyAPI is the Kubernetes API of a site, for steps and gates: each call finds the client when it is needed, because a plan that
// sets a cluster up begins before there is an API.
type lazyAPI struct{ c *siteConnection }

func (l lazyAPI) Cordon(ctx context.Context, node string, mark lifecycle.Mark) error {
	api, err := l.c.client(ctx)
	if err != nil {
		return err
	}
	return api.Cordon(ctx, node, mark)
}

func (l lazyAPI) Drain(ctx context.Context, node string, policy lifecycle.Drain, progress func(string)) error {
	api, err := l.c.client(ctx)
	if err != nil {
		return err
	}
	return api.Drain(ctx, node, policy, progress)
}

func (l lazyAPI) Uncordon(ctx context.Context, node string) error {
	api, err := l.c.client(ctx)
	if err != nil {
		return err
	}
	return api.Uncordon(ctx, node)
}

func (l lazyAPI) DeleteNode(ctx context.Context, node string) error {
	api, err := l.c.client(ctx)
	if err != nil {
		return err
	}
	return api.DeleteNode(ctx, node)
}

func (l lazyAPI) Nodes(ctx context.Context) ([]lifecycle.NodeState, error) {
	api, err := l.c.client(ctx)
	if err != nil {
		return nil, err
	}
	return api.Nodes(ctx)
}

func (l lazyAPI) Node(ctx context.Context, name string) (lifecycle.NodeState, error) {
	api, err := l.c.client(ctx)
	if err != nil {
		return lifecycle.NodeState{}, err
	}
	return api.Node(ctx, name)
}

func (l lazyAPI) DaemonPods(ctx context.Context, node string) ([]string, error) {
	api, err := l.c.client(ctx)
	if err != nil {
		return nil, err
	}
	return api.DaemonPods(ctx, node)
}

func (l lazyAPI) Budgets(ctx context.Context) ([]lifecycle.Budget, error) {
	api, err := l.c.client(ctx)
	if err != nil {
		return nil, err
	}
	return api.Budgets(ctx)
}

// Servers gives none while there is no API: each controller's absence is for the gate to judge.
func (l lazyAPI) Servers(ctx context.Context) []lifecycle.APIServer {
	api, err := l.c.client(ctx)
	if err != nil {
		return nil
	}
	return api.Servers(ctx)
}

func (l lazyAPI) ControlPlane(ctx context.Context) (lifecycle.ControlPlane, error) {
	api, err := l.c.client(ctx)
	if err != nil {
		return lifecycle.ControlPlane{}, err
	}
	return api.ControlPlane(ctx)
}

func (l lazyAPI) RecordRun(ctx context.Context, r lifecycle.RunRecord) error {
	api, err := l.c.client(ctx)
	if err != nil {
		return err
	}
	return api.RecordRun(ctx, r)
}

func (l lazyAPI) Runs(ctx context.Context) ([]lifecycle.RunRecord, error) {
	api, err := l.c.client(ctx)
	if err != nil {
		return nil, err
	}
	return api.Runs(ctx)
}
