package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

const (
	// cleanTimeout is how long the probes' namespace may take to go.
	cleanTimeout = time.Minute
	// undoTimeout is the same for a namespace of which it is not known whether it was made.
	undoTimeout = 5 * time.Second
	// probeImage is the image of the probes when the platform names none: a shell with nslookup.
	probeImage = "registry.k8s.io/e2e-test-images/agnhost:2.53"
)

// Verify proves what a platform promises, with probes in a namespace of their own that is deleted in the end, also when ctx has ended by
// then: a promise that is not kept before that is broken. A Service gets an address, a claim is bound, DNS answers, a pod runs on a node
// of each label. What is not promised is skipped. A promise that is broken says what the API has of it. run makes the namespace's name.
func (c *Client) Verify(ctx context.Context, platform lifecycle.Platform, run string, progress func(string)) []lifecycle.Promise {
	p := &prober{client: c, platform: platform, namespace: probeNamespace(run), image: cmp.Or(platform.ProbeImage, probeImage)}
	probes := p.probes()
	out := make([]lifecycle.Promise, len(probes))
	if err := p.begin(ctx, run); err != nil {
		if ctx.Err() != nil {
			_ = p.end(ctx, undoTimeout) // the answer may be what came too late
		}
		for i, probe := range probes {
			out[i] = lifecycle.Promise{Name: probe.name, State: lifecycle.GateFailed,
				Reason: "no namespace for the probes could be made: " + err.Error()}
		}
		return out
	}
	progress("probing in namespace " + p.namespace)
	var wg sync.WaitGroup
	var told sync.Mutex
	for i, probe := range probes {
		wg.Go(func() {
			out[i] = probe.prove(ctx)
			told.Lock()
			defer told.Unlock()
			progress(fmt.Sprintf("%s: %s", out[i].Name, out[i].Reason))
		})
	}
	wg.Wait()
	if err := p.end(ctx, cleanTimeout); err != nil {
		out = append(out, lifecycle.Promise{Name: "clean up", State: lifecycle.GateFailed,
			Reason: fmt.Sprintf("namespace %s is still there: %v; delete it with `kubectl delete namespace %s`", p.namespace, err, p.namespace)})
	}
	return out
}

// notInNames is what a namespace's name can't have.
var notInNames = regexp.MustCompile(`[^a-z0-9-]+`)

func probeNamespace(run string) string {
	name := "kiban-verify-" + notInNames.ReplaceAllString(strings.ToLower(run), "-")
	return strings.TrimRight(name[:min(len(name), 63)], "-")
}

// prober runs the probes of one call.
type prober struct {
	client    *Client
	platform  lifecycle.Platform
	namespace string
	image     string
}

// probe proves one promise. look gives what was seen once it is kept, and otherwise what is missing.
type probe struct {
	name string
	// skip says why it is not promised.
	skip string
	make func(ctx context.Context) error
	look func(ctx context.Context) (kept bool, seen string, err error)
}

func (p *prober) probes() []probe {
	out := []probe{p.loadBalancer(), p.storage(), p.dns()}
	for i, key := range slices.Sorted(maps.Keys(p.platform.NodeLabels)) {
		out = append(out, p.nodeLabel(i, key, p.platform.NodeLabels[key]))
	}
	return out
}

// begin makes the namespace. It enforces what the strictest clusters do, so that the probes run on all.
func (p *prober) begin(ctx context.Context, run string) error {
	if err := p.client.connect(ctx); err != nil {
		return err
	}
	labels := ownLabels()
	labels["pod-security.kubernetes.io/enforce"] = "restricted"
	labels["kiban.dev/verify"] = strings.TrimPrefix(p.namespace, "kiban-verify-")
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.namespace, Labels: labels,
		Annotations: map[string]string{"kiban.dev/run": run}}}
	return p.client.persistently(ctx, func(ctx context.Context) error {
		_, err := p.client.api.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{FieldManager: manager})
		if apierrors.IsAlreadyExists(err) {
			return nil // the same run's
		}
		return err
	})
}

// end deletes the namespace and waits until it is gone, whether or not the probes were interrupted.
func (p *prober) end(ctx context.Context, within time.Duration) error {
	ctx, cancel := lifecycle.Within(context.WithoutCancel(ctx), within, "no answer")
	defer cancel()
	return p.client.DeleteObjects(ctx, []lifecycle.ObjectRef{{APIVersion: "v1", Kind: "Namespace", Name: p.namespace}}, func(string) {})
}

// prove makes a probe and looks at it until its promise is kept, it can't be any more, or the time is up.
func (p probe) prove(ctx context.Context) lifecycle.Promise {
	out := lifecycle.Promise{Name: p.name, State: lifecycle.GateSkipped, Reason: p.skip}
	if p.skip != "" {
		return out
	}
	began := time.Now()
	out.State, out.Reason = lifecycle.GateFailed, "the probe was not made"
	for made := false; ; {
		if !made {
			if err := p.make(ctx); err != nil {
				out.Reason = "the probe is refused: " + err.Error()
				if errors.Is(err, errBroken) {
					out.Reason = err.Error()
					return out
				}
			} else {
				made = true
			}
		}
		if made {
			kept, seen, err := p.look(ctx)
			switch {
			case kept:
				out.State, out.Reason = lifecycle.GateMet, fmt.Sprintf("%s after %s", seen, time.Since(began).Round(time.Second))
				return out
			case err == nil:
				out.Reason = seen
			case ctx.Err() == nil:
				out.Reason = err.Error()
			}
			if errors.Is(err, errBroken) {
				if missing, ok := errors.AsType[noImage](err); ok {
					out.MissingImage = missing.image
				}
				return out
			}
		}
		if err := pause(ctx, retryAfter); err != nil {
			out.Reason = fmt.Sprintf("%s (given up after %s)", out.Reason, time.Since(began).Round(time.Second))
			return out
		}
	}
}

// errBroken marks a probe that has failed for good.
var errBroken = errors.New("the probe has failed")
