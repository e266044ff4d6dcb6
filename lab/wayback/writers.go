package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lab/samples"
)

// markOf is the annotation with an object's last write, writerOf the label of what the writers wrote.
const markOf, writerOf = "wayback.kiban.dev/write", "wayback.kiban.dev/writer"

// kind is what the writers write: a sample in a version in which the former release serves it.
type kind struct {
	served
	body string
}

// kinds are the samples that the API serves, in each of its versions.
func kinds(all []served) []kind {
	// These don't bear it: a namespace is deleted at leisure, and the names of the others are not free to choose.
	unfit := []string{"Namespace", "CustomResourceDefinition", "APIService"}
	var out []kind
	for _, s := range samples.All() {
		for _, v := range s.Versions {
			i := slices.IndexFunc(all, func(r served) bool { return r.kind == s.Kind && r.GroupVersion().String() == v && r.creatable })
			if i >= 0 && !slices.Contains(unfit, s.Kind) {
				out = append(out, kind{all[i], s.Body})
			}
		}
	}
	return out
}

// writers create, change and delete objects at random, each its own, and keep account of what the API acknowledged.
type writers struct {
	*ledger
	client dynamic.Interface
	kinds  []kind
	// pause is held for reading by each write, and for writing by whoever wants nobody to write.
	pause sync.RWMutex
	group sync.WaitGroup
	end   context.CancelFunc
}

// newWriters makes the namespaces that the writers write to, and begins to write.
func newWriters(ctx context.Context, cfg *rest.Config, count int, seed uint64) (*writers, error) {
	all, err := resources(cfg)
	if err != nil {
		return nil, err
	}
	w := &writers{ledger: newLedger(), kinds: kinds(all)}
	if len(w.kinds) < 30 {
		return nil, fmt.Errorf("the API serves only %d of the samples", len(w.kinds))
	}
	if w.client, err = dynamic.NewForConfig(cfg); err != nil {
		return nil, err
	}
	clients, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	ctx, w.end = context.WithCancel(ctx)
	for i := range count {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("w%d", i)}}
		if _, err := clients.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); err != nil {
			return nil, err
		}
		one := &writer{writers: w, name: ns.Name, rng: rand.New(rand.NewPCG(seed, uint64(i)))}
		w.group.Go(func() { one.run(ctx) })
	}
	return w, nil
}

// halt ends the writers.
func (w *writers) halt() {
	w.end()
	w.group.Wait()
}

// seen are the marks of all objects that the writers wrote, as they are now.
func (w *writers) seen(ctx context.Context) (map[string]int, error) {
	out := map[string]int{}
	asked := map[string]bool{}
	for _, k := range w.kinds {
		if asked[k.Group+" "+k.Resource] {
			continue
		}
		asked[k.Group+" "+k.Resource] = true
		list, err := w.client.Resource(k.GroupVersionResource).List(ctx, metav1.ListOptions{LabelSelector: writerOf})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.GroupVersionResource, err)
		}
		for _, o := range list.Items {
			text, marked := o.GetAnnotations()[markOf]
			if !marked || o.GetDeletionTimestamp() != nil {
				continue // a controller's, with labels of what it is made for; or deleted, and waiting for a controller
			}
			mark, err := strconv.Atoi(text)
			if err != nil {
				return nil, fmt.Errorf("%s %s has no mark: %w", k.kind, o.GetName(), err)
			}
			out[k.Group+" "+k.kind+" "+o.GetName()] = mark
		}
	}
	return out, nil
}

// writer is one of them.
type writer struct {
	*writers
	name string
	rng  *rand.Rand
	next int
	live []object
}

type object struct {
	kind
	name string
}

func (o object) key() string { return o.Group + " " + o.kind.kind + " " + o.name }

func (w *writer) run(ctx context.Context) {
	for ctx.Err() == nil {
		w.pause.RLock()
		w.write(ctx)
		w.pause.RUnlock()
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(20+w.rng.IntN(60)) * time.Millisecond):
		}
	}
}

// write does one thing: create, change or delete.
func (w *writer) write(ctx context.Context) {
	w.next++
	pick := w.rng.IntN(100)
	switch {
	case len(w.live) < 20 || pick < 30 && len(w.live) < 120:
		k := w.kinds[w.rng.IntN(len(w.kinds))]
		o := object{k, fmt.Sprintf("%s-%d", w.name, w.next)}
		if w.does(o, w.next, func() error { return w.create(ctx, o, w.next) }) {
			w.live = append(w.live, o)
		}
	case pick < 80:
		o := w.live[w.rng.IntN(len(w.live))]
		if _, ok := w.mark(o.key()); !ok {
			return // not known to be there: it is left to the next look
		}
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"%d"}}}`, markOf, w.next)
		w.does(o, w.next, func() error {
			_, err := w.at(o).Patch(ctx, o.name, types.MergePatchType, patch, metav1.PatchOptions{})
			return err
		})
	default:
		i := w.rng.IntN(len(w.live))
		o := w.live[i]
		w.live = slices.Delete(w.live, i, i+1)
		w.does(o, absent, func() error {
			zero := int64(0)
			return w.at(o).Delete(ctx, o.name, metav1.DeleteOptions{GracePeriodSeconds: &zero})
		})
	}
}

// does writes, and notes what the API said: an answer of the server's that it will not is a no, all else may have come to pass.
func (w *writer) does(o object, mark int, write func() error) bool {
	w.sent(o.key(), mark)
	err := write()
	var status apierrors.APIStatus
	switch {
	case err == nil:
		w.acknowledged(o.key(), mark)
		return true
	case errors.As(err, &status) && status.Status().Code >= 400 && status.Status().Code < 500:
		w.refused(o.key(), mark)
		return false
	}
	return true
}

func (w *writer) create(ctx context.Context, o object, mark int) error {
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(o.body, "app: web", "app: "+o.name)), &u.Object); err != nil {
		return err
	}
	if u.Object == nil {
		u.Object = map[string]any{}
	}
	u.SetAPIVersion(o.GroupVersion().String())
	u.SetKind(o.kind.kind)
	u.SetName(o.name)
	u.SetLabels(map[string]string{writerOf: w.name})
	u.SetAnnotations(map[string]string{markOf: strconv.Itoa(mark)})
	_, err := w.at(o).Create(ctx, u, metav1.CreateOptions{})
	return err
}

func (w *writer) at(o object) dynamic.ResourceInterface {
	r := w.client.Resource(o.GroupVersionResource)
	if o.namespaced {
		return r.Namespace(w.name)
	}
	return r
}
