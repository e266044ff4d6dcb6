package twin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// API is the twin's own.
type API interface {
	// Create makes an object that is not there; one that is stays as it is.
	Create(ctx context.Context, o lifecycle.Object) error
	// Merge changes an object by a merge patch.
	Merge(ctx context.Context, ref lifecycle.ObjectRef, patch []byte) error
	// PodsReady says of each pod, "namespace/name", why it is not ready, "" of one that is, and whether a controller owns it.
	PodsReady(ctx context.Context) (why map[string]string, owned map[string]bool, err error)
	// Nodes are the nodes as they are.
	Nodes(ctx context.Context) ([]lifecycle.NodeState, error)
	Close()
}

// loadAtOnce is how many objects are made side by side.
const loadAtOnce = 16

// load makes the objects, turn by turn. What the API refuses is told, and ends nothing.
func load(ctx context.Context, api API, objects []Object) ([]lifecycle.RefusedObject, error) {
	var refused []lifecycle.RefusedObject
	for from := 0; from < len(objects); {
		to := from
		for to < len(objects) && turnOf(objects[to]) == turnOf(objects[from]) {
			to++
		}
		refused = append(refused, loadTurn(ctx, api, objects[from:to])...)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		from = to
	}
	return refused, nil
}

func loadTurn(ctx context.Context, api API, objects []Object) []lifecycle.RefusedObject {
	why := make([]error, len(objects))
	var wg sync.WaitGroup
	slots := make(chan struct{}, loadAtOnce)
	for i, o := range objects {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			b, err := json.Marshal(o)
			if err == nil {
				err = api.Create(ctx, lifecycle.Object{ObjectRef: o.ref(), JSON: b})
			}
			why[i] = err
		})
	}
	wg.Wait()
	var refused []lifecycle.RefusedObject
	for i, err := range why {
		if err != nil {
			refused = append(refused, lifecycle.RefusedObject{Object: objects[i].ref().String(), Reason: lifecycle.InWords(err)})
		}
	}
	return refused
}

// nodes gives each node of the twin the labels, taints and foreign cordon of the site's.
func adjustNodes(ctx context.Context, api API, s Snapshot) error {
	nodes := s.nodes()
	for _, m := range s.Machines {
		n, ok := nodes[m.Name]
		if !ok {
			continue
		}
		b, err := json.Marshal(nodePatch(n))
		if err != nil {
			return err
		}
		if err := api.Merge(ctx, lifecycle.ObjectRef{APIVersion: "v1", Kind: "Node", Name: m.Name}, b); err != nil {
			return fmt.Errorf("node %s: %w", m.Name, err)
		}
	}
	return nil
}

const (
	// readyWaits is how long pods are waited for in all, readyStill how long while none of them becomes ready.
	readyWaits = 6 * time.Minute
	readyStill = 15 * time.Second
)

// awaitReady waits until as many pods are ready as at the site, and says which are not.
func awaitReady(ctx context.Context, api API, want int, slowest time.Duration) (unwell []string, err error) {
	ctx, cancel := lifecycle.Within(ctx, readyWaits, "pods did not become ready")
	defer cancel()
	best, since := -1, time.Now()
	for {
		pods, _, err := api.PodsReady(ctx)
		ready := 0
		for _, why := range pods {
			if why == "" {
				ready++
			}
		}
		switch {
		case err != nil && ctx.Err() == nil:
			return nil, err
		case err == nil && ready >= want && ready == len(pods):
			return nil, nil
		case ready > best:
			best, since = ready, time.Now()
		}
		if ctx.Err() != nil || time.Since(since) > readyStill+slowest {
			if ready >= want {
				return nil, nil
			}
			return notWell(pods), nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func notWell(pods map[string]string) []string {
	var out []string
	for name, why := range pods {
		if why != "" {
			out = append(out, name+": "+strings.ReplaceAll(why, "\n", " "))
		}
	}
	slices.Sort(out)
	return out
}
