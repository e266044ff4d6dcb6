package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kiban.dev/kiban/lifecycle"
)

// DeleteObjects deletes objects, the last first, and waits until each is gone: what a controller cleans up goes before the controller does.
// What is not there, or of a kind that is no longer served, is no error.
func (c *Client) DeleteObjects(ctx context.Context, refs []lifecycle.ObjectRef, progress func(string)) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	for _, r := range slices.Backward(refs) {
		m, err := c.kinds.findAny(ctx, r)
		if meta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			return err
		}
		var said lifecycle.Waiting
		err = c.remove(ctx, m, r, metav1.DeletePropagationBackground, func(line string) {
			if said.News(line, time.Now()) {
				progress(line)
			}
		})
		if err != nil {
			return err
		}
		progress("deleted " + r.String())
	}
	return nil
}

// remove deletes one object and waits until it is gone.
func (c *Client) remove(ctx context.Context, m *meta.RESTMapping, r lifecycle.ObjectRef, how metav1.DeletionPropagation,
	say func(string)) error {
	objects := c.resource(m, r.Namespace)
	was, err := c.get(ctx, m, r)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	err = c.persistently(ctx, func(ctx context.Context) error {
		return objects.Delete(ctx, r.Name, metav1.DeleteOptions{PropagationPolicy: &how})
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", r, err)
	}
	why := ""
	for {
		u, err := c.get(ctx, m, r)
		if apierrors.IsNotFound(err) || err == nil && u.GetUID() != was.GetUID() {
			return nil // gone; or another of its name is there since
		}
		if err != nil && !worthRepeating(err) {
			return err
		}
		if err == nil {
			why = ending(u)
			say(r.String() + " is " + why)
		}
		if err := pause(ctx, c.pause); err != nil {
			return stillThere(r, why, err)
		}
	}
}

// ending says what keeps an object that is being deleted.
func ending(u *unstructured.Unstructured) string {
	if f := u.GetFinalizers(); len(f) > 0 {
		return "being deleted; held by " + strings.Join(f, ", ")
	}
	return "being deleted"
}

func stillThere(r lifecycle.ObjectRef, why string, err error) error {
	return lifecycle.Errorf(r.String(), "%s was not gone in time", r.String()).
		Because(why).
		Try("Look at what holds it (its finalizers name the controller that must let go), then run the same command again").
		Hiding(err)
}

// Existing are those of some objects that the cluster has, in their order.
func (c *Client) Existing(ctx context.Context, refs []lifecycle.ObjectRef) ([]lifecycle.ObjectRef, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	there := make([]bool, len(refs))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(compareAtOnce)
	for i, r := range refs {
		g.Go(func() error {
			u, err := c.fetch(gctx, r)
			there[i] = u != nil
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var found []lifecycle.ObjectRef
	for i, r := range refs {
		if there[i] {
			found = append(found, r)
		}
	}
	return found, nil
}

// fetch reads an object; nil when it is not there, or its kind is not served.
func (c *Client) fetch(ctx context.Context, r lifecycle.ObjectRef) (*unstructured.Unstructured, error) {
	m, err := c.kinds.findAny(ctx, r)
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	u, err := c.get(ctx, m, r)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return u, err
}
