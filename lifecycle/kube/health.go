package kube

import (
	"context"
	"fmt"
	"strings"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kiban.dev/kiban/lifecycle"
)

// Health is how objects are, in their order, as kstatus reads them: an object is Current when what its controller says of it is what its
// declaration asks for. What is not is explained by its pods or by what the API wrote of it. A webhook or a definition that the API would
// ask nobody about is InProgress, too.
func (c *Client) Health(ctx context.Context, refs []lifecycle.ObjectRef) ([]lifecycle.ObjectHealth, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	out := make([]lifecycle.ObjectHealth, len(refs))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(compareAtOnce)
	for i, r := range refs {
		g.Go(func() error {
			h, err := c.health(gctx, r)
			out[i] = lifecycle.ObjectHealth{ObjectRef: r, Health: h}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

func (c *Client) health(ctx context.Context, r lifecycle.ObjectRef) (lifecycle.Health, error) {
	u, err := c.fetch(ctx, r)
	if err != nil {
		return lifecycle.Health{}, err
	}
	if u == nil {
		return lifecycle.Health{Status: lifecycle.HealthNotFound, Why: "it is not there"}, nil
	}
	h, err := judged(u)
	if err != nil {
		return h, fmt.Errorf("%s: %w", r, err)
	}
	if h.Status == lifecycle.HealthCurrent {
		missing, err := c.unanswered(ctx, u)
		if err != nil || missing == "" {
			return h, err
		}
		return lifecycle.Health{Status: lifecycle.HealthInProgress, Why: r.String() + ": " + missing}, nil
	}
	if waits, err := c.waitsForConsumer(ctx, u); err != nil || waits {
		return lifecycle.Health{Status: lifecycle.HealthCurrent}, err
	}
	more, err := c.explain(ctx, u)
	if more != "" {
		h.Why += "; " + more
	}
	return h, err
}

// judged is what kstatus says of an object.
func judged(u *unstructured.Unstructured) (lifecycle.Health, error) {
	result, err := kstatus.Compute(u)
	if err != nil {
		return lifecycle.Health{}, err
	}
	h := lifecycle.Health{Why: ref(u).String() + ": " + inWords(u, result.Message)}
	switch result.Status {
	case kstatus.CurrentStatus:
		h = lifecycle.Health{Status: lifecycle.HealthCurrent}
	case kstatus.FailedStatus:
		h.Status = lifecycle.HealthFailed
	case kstatus.InProgressStatus, kstatus.TerminatingStatus:
		h.Status = lifecycle.HealthInProgress
	case kstatus.NotFoundStatus, kstatus.UnknownStatus:
		h.Status = lifecycle.HealthUnknown
	}
	return h, nil
}

// inWords is what kstatus says, in words of our own where it counts replicas.
func inWords(u *unstructured.Unstructured, message string) string {
	count := func(path ...string) int64 {
		n, _, _ := unstructured.NestedInt64(u.Object, path...)
		return n
	}
	if strings.Contains(message, "latest observed generation") {
		return "its controller has not looked at the change yet"
	}
	if n, ok := strings.CutPrefix(message, "Pending termination: "); ok {
		return n + " of its former pods have still to end"
	}
	switch u.GetKind() {
	case "DaemonSet":
		desired, ready, updated := count("status", "desiredNumberScheduled"), count("status", "numberReady"),
			count("status", "updatedNumberScheduled")
		if desired > ready {
			return fmt.Sprintf("%d of %d pods are ready", ready, desired)
		}
		if desired > updated {
			return fmt.Sprintf("%d of %d pods are of the new revision", updated, desired)
		}
	case "Deployment", "StatefulSet", "ReplicaSet":
		desired, ready, updated := int64(1), count("status", "readyReplicas"), count("status", "updatedReplicas")
		if n, found, _ := unstructured.NestedInt64(u.Object, "spec", "replicas"); found {
			desired = n
		}
		failed := strings.HasPrefix(message, "Progress deadline")
		if strings.HasPrefix(message, "Replicas:") {
			return fmt.Sprintf("%d of %d pods are there", count("status", "replicas"), desired)
		}
		if u.GetKind() != "ReplicaSet" && desired > updated && !failed {
			return fmt.Sprintf("%d of %d pods are of the new revision", updated, desired)
		}
		if desired > ready {
			words := fmt.Sprintf("%d of %d pods are ready", ready, desired)
			if failed {
				words += ", and its progress deadline has passed"
			}
			return words
		}
	}
	return strings.ToLower(message[:min(1, len(message))]) + message[min(1, len(message)):]
}
