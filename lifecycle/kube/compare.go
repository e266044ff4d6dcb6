package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kiban.dev/kiban/lifecycle"
)

// compareAtOnce bounds how many objects are compared at a time.
const compareAtOnce = 16

// Compare says what applying objects would change, in their order: each is sent to the API as applying would send it, but to be judged
// only
// (server-side apply, dry run), and what comes back is compared with what is there. ignored names the fields that differ, or may, and are
// not compared. What the API refuses is in err, as lifecycle.Diagnostics, beside the changes of all other objects.
func (c *Client) Compare(ctx context.Context, objs []lifecycle.Object, opts lifecycle.CompareOptions) (changes []lifecycle.ObjectChange,
	ignored []string, err error) {
	if err := c.connect(ctx); err != nil {
		return nil, nil, err
	}
	placed, err := c.Place(ctx, objs, opts.Namespace, opts.Coming)
	if err != nil {
		return nil, nil, err
	}
	c.applied(opts.Inventory)
	judge := &judge{client: c, opts: opts, defs: definitions(placed, opts.Coming), namespaces: namespacesOf(placed, opts)}
	verdicts := make([]verdict, len(placed))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(compareAtOnce)
	for i, o := range placed {
		g.Go(func() (err error) { verdicts[i], err = judge.object(gctx, o, objs[i].ObjectRef); return })
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	var refused lifecycle.Diagnostics
	for _, v := range verdicts {
		if v.change.Change != "" {
			changes = append(changes, v.change)
		}
		if v.refused != nil {
			refused = append(refused, *v.refused)
		}
		ignored = append(ignored, v.ignored...)
	}
	slices.Sort(ignored)
	return changes, slices.Compact(ignored), refused.Err()
}

// namespacesOf are the namespaces that will be there before the objects.
func namespacesOf(objs []lifecycle.Object, opts lifecycle.CompareOptions) map[string]bool {
	out := map[string]bool{}
	if opts.MakesNamespace {
		out[opts.Namespace] = true
	}
	for _, o := range slices.Concat(objs, opts.Coming) {
		if o.Kind == "Namespace" && o.Group() == "" {
			out[o.Name] = true
		}
	}
	return out
}

// verdict is what the API said of one object.
type verdict struct {
	change  lifecycle.ObjectChange // its Change is "" when there is none
	ignored []string
	refused *lifecycle.Diagnostic
}

// judge compares the objects of one call.
type judge struct {
	client     *Client
	opts       lifecycle.CompareOptions
	defs       []definition
	namespaces map[string]bool
}

// object judges one object. declared is its name as the declaration and perhaps the inventory have it.
func (j *judge) object(ctx context.Context, o lifecycle.Object, declared lifecycle.ObjectRef) (verdict, error) {
	v := verdict{change: lifecycle.ObjectChange{ObjectRef: o.ObjectRef}}
	m, err := j.client.kinds.find(ctx, o.ObjectRef)
	if meta.IsNoMatchError(err) {
		return j.unknownKind(ctx, v, o), nil
	}
	if err != nil {
		return v, err
	}
	desired, err := payload(o)
	if err != nil {
		return v, err
	}
	live, err := j.client.get(ctx, m, o.ObjectRef)
	if err != nil && !apierrors.IsNotFound(err) && !notUp(err) {
		return v, err
	}
	item, had := j.item(o, declared)
	v.change.Drift = had && item.Digest == lifecycle.DigestObject(o, j.opts.Volatile, j.opts.Ignore)
	if live == nil {
		v.change.Change = lifecycle.ChangeCreate
		if v.change.Drift = had; had {
			v.change.Reason = "deleted by hand"
		}
		if err != nil && notUp(err) {
			v.change.Change, v.change.Drift, v.change.Reason = lifecycle.ChangeUpdate, false, couldNotBeJudged(err)
			return v, nil
		}
	}
	if live != nil && live.GetDeletionTimestamp() != nil {
		v.change.Change, v.change.Reason = lifecycle.ChangeCreate, "the one that is there is "+ending(live)
		return v, nil
	}
	after, err := j.client.dryRun(ctx, m, desired)
	if err != nil {
		return j.refused(v, o, live, desired, err)
	}
	if live != nil {
		j.differences(&v, o, live, after, openBundles(desired))
	} else {
		v.ignored = j.ignored(o, nil, nil)
	}
	return v, nil
}

// item finds what was applied last of an object, whichever way the inventory names it.
func (j *judge) item(o lifecycle.Object, declared lifecycle.ObjectRef) (lifecycle.InventoryItem, bool) {
	if it, ok := j.opts.Inventory.Find(o.ObjectRef); ok {
		return it, true
	}
	return j.opts.Inventory.Find(declared)
}

// differences compares an object with what it would be, but for the bundles that someone in the cluster writes.
func (j *judge) differences(v *verdict, o lifecycle.Object, live, after *unstructured.Unstructured, bundles []string) {
	from, to := comparable(live), comparable(after)
	v.ignored = j.ignored(o, from, to)
	for _, path := range append(bundles, lifecycle.NotCompared(o.ObjectRef, j.opts.Volatile, j.opts.Ignore)...) {
		from, to = lifecycle.WithoutField(from, path), lifecycle.WithoutField(to, path)
	}
	v.change.Fields = fieldChanges(o.ObjectRef, live, from, to)
	if len(v.change.Fields) > 0 {
		v.change.Change = lifecycle.ChangeUpdate
	}
	if v.change.Drift && o.Kind == "Secret" && o.Group() == "" && stillOurs(v.change.Fields) {
		v.change.Drift, v.change.Reason = false, "its values are others now where kiban runs"
	}
}

// stillOurs reports whether every field that differs holds what kiban wrote last. The digest of a Secret does not know its values, so
// that
// of one it can't tell who changed it.
func stillOurs(fields []lifecycle.FieldChange) bool {
	return !slices.ContainsFunc(fields, func(f lifecycle.FieldChange) bool { return f.By != "" || f.From == "" })
}

// comparable is an object without what the API writes of it.
func comparable(u *unstructured.Unstructured) any {
	out := u.DeepCopy().Object
	dropOwn(out)
	return out
}

// ignored says which fields are not compared: those of each rendering always, those that the addon names when they differ.
func (j *judge) ignored(o lifecycle.Object, from, to any) []string {
	var out []string
	volatile := lifecycle.NotCompared(o.ObjectRef, j.opts.Volatile, nil)
	for _, path := range volatile {
		out = append(out, fmt.Sprintf("%s: %s (each rendering makes another value)", o, path))
	}
	for _, path := range lifecycle.NotCompared(o.ObjectRef, nil, j.opts.Ignore) {
		if !slices.Contains(volatile, path) && len(lifecycle.DiffFields(from, to)) > len(lifecycle.DiffFields(lifecycle.WithoutField(from,
			path),
			lifecycle.WithoutField(to, path))) {
			out = append(out, fmt.Sprintf("%s: %s (the addon ignores it)", o, path))
		}
	}
	return out
}

// unknownKind is the verdict on an object whose kind the API does not serve.
func (j *judge) unknownKind(ctx context.Context, v verdict, o lifecycle.Object) verdict {
	d, ok := defines(j.defs, o.ObjectRef)
	if ok && slices.Contains(d.served, versionOf(o.APIVersion)) {
		v.change.Change, v.change.Reason = lifecycle.ChangeCreate, "its kind comes with "+d.name
		return v
	}
	why := "the cluster serves no " + o.Kind + " of " + o.APIVersion
	if ok {
		why = fmt.Sprintf("%s serves it as %s only", d.name, d.served)
	}
	hint := "Declare its CustomResourceDefinition beside it, tie it to the addon that brings its kind (annotation " +
		lifecycle.AnnotationAddon + "), or correct apiVersion and kind"
	if m, err := j.client.kinds.findAny(ctx, o.ObjectRef); err == nil && !ok {
		why += "; it serves it as " + m.GroupVersionKind.GroupVersion().String()
		hint = "Write apiVersion: " + m.GroupVersionKind.GroupVersion().String() +
			", and what else differs there; kiban ready SITE --fix writes it " +
			"where nothing else does"
	}
	v.refused = new(lifecycle.Errorf(o.Source, "the cluster does not know the kind of %s", o.String()).Because(why).Try(hint))
	if !ok {
		v.refused.Cause = lifecycle.ErrUnserved
	}
	return v
}

// get reads an object as it is. Not found: nil and the error.
func (c *Client) get(ctx context.Context, m *meta.RESTMapping, r lifecycle.ObjectRef) (*unstructured.Unstructured, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	u, err := c.resource(m, r.Namespace).Get(ctx, r.Name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", r, err)
	}
	return u, nil
}

// dryRun has the API judge an object as if it were applied.
func (c *Client) dryRun(ctx context.Context, m *meta.RESTMapping, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	var after *unstructured.Unstructured
	err := c.persistently(ctx, func(ctx context.Context) (err error) {
		after, err = c.resource(m, u.GetNamespace()).Apply(ctx, u.GetName(), u,
			metav1.ApplyOptions{FieldManager: manager, Force: true, DryRun: []string{metav1.DryRunAll}})
		return err
	})
	return after, err
}

// dryTries is how often a question is asked that the API was too busy to answer.
const dryTries = 3

// persistently makes a call again when another attempt may succeed, and is done with it when it may not.
func (c *Client) persistently(ctx context.Context, call func(context.Context) error) error {
	var err error
	for range dryTries {
		bounded, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
		err = call(bounded)
		cancel()
		if err == nil || notUp(err) || !worthRepeating(err) || errors.Is(ctx.Err(), context.Canceled) {
			return err
		}
		if err := pause(ctx, c.pause); err != nil {
			return err
		}
	}
	return err
}

// versionOf is the version part of an apiVersion.
func versionOf(apiVersion string) string {
	_, v, found := strings.Cut(apiVersion, "/")
	if !found {
		return apiVersion
	}
	return v
}
