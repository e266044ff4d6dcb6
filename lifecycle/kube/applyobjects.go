package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kiban.dev/kiban/lifecycle"
)

const (
	// retryAfter is the time between two attempts at an object that the API could not take yet.
	retryAfter = time.Second
	// kindWithin is how long the API may take to serve a kind whose definition was applied before.
	kindWithin = 30 * time.Second
	// sayEvery is the least time between two lines on how far applying is.
	sayEvery = 3 * time.Second
)

// ApplyObjects makes objects what they are declared to be, in the order given (server-side apply as field manager "kiban", which takes the
// fields that others have written). What may pass is waited for until ctx ends: a webhook that is not up yet, a kind that is not served
// yet, an API server that is busy or gone. An object of which a field differs that can't be changed is made anew when nothing is lost by
// it. progress gets lines for people.
func (c *Client) ApplyObjects(ctx context.Context, objs []lifecycle.Object, namespace string, progress func(string)) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	placed, err := c.Place(ctx, objs, namespace, nil)
	if err != nil {
		return err
	}
	a := &applier{client: c, progress: progress}
	said := time.Now()
	for i, o := range placed {
		if o.Kind != "CustomResourceDefinition" {
			if err := a.established(ctx); err != nil {
				return err
			}
		}
		if err := a.apply(ctx, o); err != nil {
			return err
		}
		switch done := i + 1; {
		case len(placed) == 1:
			progress("applied " + o.String())
		case done == len(placed), time.Since(said) > sayEvery:
			progress(fmt.Sprintf("applied %d of %d objects", done, len(placed)))
			said = time.Now()
		}
	}
	return a.established(ctx)
}

// applier applies the objects of one call.
type applier struct {
	client   *Client
	progress func(string)
	// definitions were applied and may not be served yet.
	definitions []lifecycle.ObjectRef
	said        lifecycle.Waiting
}

// say tells what is waited for, whenever that is something else.
func (a *applier) say(line string) {
	if a.said.News(line, time.Now()) {
		a.progress(line)
	}
}

// apply applies one object, again and again while another attempt may succeed.
func (a *applier) apply(ctx context.Context, o lifecycle.Object) error {
	desired, err := payload(o)
	if err != nil {
		return err
	}
	began := time.Now()
	for {
		err := a.once(ctx, o, desired)
		if err == nil {
			if o.Kind == "CustomResourceDefinition" {
				a.definitions = append(a.definitions, o.ObjectRef)
			}
			return nil
		}
		why := passing(err)
		if why == "" || meta.IsNoMatchError(err) && time.Since(began) > kindWithin {
			return asRefusal(o, err)
		}
		a.say(fmt.Sprintf("%s waits: %s", o, why))
		if err := pause(ctx, retryAfter); err != nil {
			return waitedInVain(o, why, err)
		}
	}
}

// once makes one attempt at an object.
func (a *applier) once(ctx context.Context, o lifecycle.Object, desired *unstructured.Unstructured) error {
	m, err := a.client.kinds.find(ctx, o.ObjectRef)
	if err != nil {
		return err
	}
	err = a.send(ctx, m, desired)
	status, answered := statusOf(err)
	if !answered {
		return err
	}
	fields := immutable(status)
	switch {
	case len(fields) == 0:
		return err
	case !replaceable(o.ObjectRef):
		return unchangeable(o, fields)
	}
	a.progress(fmt.Sprintf("%s is made anew: %s can't be changed in place", o, strings.Join(fields, ", ")))
	if err := a.client.remove(ctx, m, o.ObjectRef, metav1.DeletePropagationForeground, a.say); err != nil {
		return err
	}
	return a.send(ctx, m, desired)
}

// send applies an object, and what was still being deleted under its name is gone before.
func (a *applier) send(ctx context.Context, m *meta.RESTMapping, u *unstructured.Unstructured) error {
	call, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	now, err := a.client.resource(m, u.GetNamespace()).Apply(call, u.GetName(), u, metav1.ApplyOptions{FieldManager: manager, Force: true})
	if err == nil && now.GetDeletionTimestamp() != nil {
		return leavingError{ending(now)}
	}
	return err
}

// leavingError is an object that was there but is being deleted.
type leavingError struct{ why string }

func (e leavingError) Error() string { return e.why }

// passing says what has to pass before another attempt may succeed; "" when none will.
func passing(err error) string {
	leaving, isLeaving := errors.AsType[leavingError](err)
	switch {
	case errors.Is(err, context.Canceled):
		return ""
	case isLeaving:
		return "the former one is " + leaving.why
	case meta.IsNoMatchError(err):
		return "the API does not serve its kind yet"
	case notUp(err):
		return webhook(err) + " is not up yet"
	case apierrors.HasStatusCause(err, "NamespaceTerminating"):
		return "its namespace is being deleted"
	case worthRepeating(err):
		return err.Error()
	}
	return ""
}

// asRefusal turns the error of an attempt into what an operator is told.
func asRefusal(o lifecycle.Object, err error) error {
	if status, ok := statusOf(err); ok {
		return refusal(o, status, err)
	}
	if meta.IsNoMatchError(err) {
		return lifecycle.Errorf(o.Source, "the cluster does not know the kind of %s", o.String()).
			Try("Declare its CustomResourceDefinition, or tie the object to the addon that brings its kind (annotation " +
				lifecycle.AnnotationAddon + ")").
			From(err)
	}
	return err
}

// waitedInVain is the end of a wait: interrupted, or out of time.
func waitedInVain(o lifecycle.Object, why string, err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return lifecycle.Errorf(o.Source, "%s could not be applied in time", o.String()).
		Because(why).
		Try("See why the other side is not ready (`kubectl get pods -A`), then apply again; the addon's timeout bounds the wait").
		Hiding(err)
}

// established waits until the API serves the definitions that were applied.
func (a *applier) established(ctx context.Context) error {
	for _, r := range a.definitions {
		m, err := a.client.kinds.find(ctx, r)
		if err != nil {
			return err
		}
		for {
			crd, err := a.client.get(ctx, m, r)
			if err == nil && condition(crd, "Established") == "True" {
				break
			}
			if err != nil && !worthRepeating(err) {
				return err
			}
			a.say("waiting until the API serves " + r.Name)
			if err := pause(ctx, a.client.pause); err != nil {
				return waitedInVain(lifecycle.Object{ObjectRef: r}, "the API does not serve it: "+conditionMessage(crd, "NamesAccepted"), err)
			}
		}
	}
	if len(a.definitions) > 0 {
		a.client.kinds.reset()
		a.definitions = nil
	}
	return nil
}

// condition is the status of a condition of an object, "" without one.
func condition(u *unstructured.Unstructured, kind string) string {
	status, _ := conditionField(u, kind, "status").(string)
	return status
}

func conditionMessage(u *unstructured.Unstructured, kind string) string {
	message, _ := conditionField(u, kind, "message").(string)
	return message
}

func conditionField(u *unstructured.Unstructured, kind, field string) any {
	if u == nil {
		return nil
	}
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, it := range list {
		if c, ok := it.(map[string]any); ok && c["type"] == kind {
			return c[field]
		}
	}
	return nil
}
