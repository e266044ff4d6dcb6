package kube

import (
	"context"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	headers "k8s.io/client-go/metadata"

	"kiban.dev/kiban/lifecycle"
)

// headersOnly is an object without what is in it.
type headersOnly = metav1.PartialObjectMetadata

// ReadBack is Contents, with every object read: the API lists each kind to its end, for which it decodes all of them, and the first and the
// last of each kind are read whole. sample is how many were. A kind of which that does not succeed is unknown, with the reason.
func (c *Client) ReadBack(ctx context.Context) (found lifecycle.Contents, sample int, err error) {
	c.kinds.reset() // definitions that the data bring are served a moment after the API
	var whole atomic.Int64
	found, err = c.census(ctx, func(ctx context.Context, of headers.ResourceInterface, kind schema.GroupVersionResource) (int64, error) {
		all, err := pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]headersOnly, string, error) {
			list, err := of.List(ctx, opts)
			if err != nil {
				return nil, "", err
			}
			return list.Items, list.Continue, nil
		})
		if err != nil {
			return 0, err
		}
		read, err := c.readWhole(ctx, kind, all)
		whole.Add(int64(read))
		return int64(len(all)), err
	})
	return found, int(whole.Load()), err
}

// readWhole reads the first and the last of some objects.
func (c *Client) readWhole(ctx context.Context, resource schema.GroupVersionResource, of []headersOnly) (read int, err error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	for _, i := range []int{0, len(of) - 1}[:min(2, len(of))] {
		r := c.objects.Resource(resource)
		if ns := of[i].Namespace; ns != "" {
			_, err = r.Namespace(ns).Get(ctx, of[i].Name, metav1.GetOptions{})
		} else {
			_, err = r.Get(ctx, of[i].Name, metav1.GetOptions{})
		}
		if err != nil {
			return read, err
		}
		read++
	}
	return read, nil
}
