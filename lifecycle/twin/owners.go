package twin

import (
	"context"
	"maps"
	"slices"
	"time"
)

// ownersWithin is how long controllers may take to adopt pods: one that has just been restarted leads only when its lease has run out.
const ownersWithin = 90 * time.Second

// makers are the controllers of Kubernetes' own that make the site's pods again, by the names of these, "namespace/name". Taming takes that
// from the objects.
func makers(site []Object) map[string]string {
	out := map[string]string{}
	for _, o := range site {
		kind := text(o.owner(), "kind")
		if o.kind() == "Pod" && slices.Contains([]string{"ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController"}, kind) {
			out[o.namespace()+"/"+o.name()] = kind + " " + o.namespace() + "/" + text(o.owner(), "name")
		}
	}
	return out
}

// owned are the pods that are loaded together with what makes them again.
func owned(loaded []Object, by map[string]string) []string {
	there := map[string]bool{}
	for _, o := range loaded {
		there[o.kind()+" "+o.namespace()+"/"+o.name()] = true
	}
	var out []string
	for _, pod := range slices.Sorted(maps.Keys(by)) {
		if there["Pod "+pod] && there[by[pod]] {
			out = append(out, pod)
		}
	}
	return out
}

// awaitOwners waits until the twin's controllers have adopted the pods, and no longer than within. Before that a plan says of them that
// nothing would make them again.
func awaitOwners(ctx context.Context, api API, pods []string, within time.Duration) error {
	for end := time.Now().Add(within); ; {
		_, has, err := api.PodsReady(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		orphan := func(pod string) bool {
			owned, there := has[pod]
			return there && !owned
		}
		switch {
		case err == nil && !slices.ContainsFunc(pods, orphan):
			return nil
		case time.Now().After(end): // where some are still nobody's, the plan says so
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(300 * time.Millisecond):
		}
	}
}
