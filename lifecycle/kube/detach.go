package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kiban.dev/kiban/lifecycle"
)

const (
	// detachWithin bounds how long a drain waits for volumes to be detached. Longer than any driver needs that works, and shorter than the
	// six minutes after which Kubernetes detaches by force.
	detachWithin = 2 * time.Minute
	// detachPoll is how often the attachments are looked at.
	detachPoll = time.Second
)

// attachment is a volume that is attached to the node and that a pod which has left may need elsewhere.
type attachment struct{ name, claim string }

// detached waits until the volumes of the pods that left, as far as one node alone may have them, are detached from the node: while k0s on
// it is down nobody detaches them, and their pods wait elsewhere until Kubernetes does so by force, minutes later. What is not detached in
// time is told; the drain has done its part.
func (d *drainer) detached(ctx context.Context) error {
	if len(d.claims) == 0 {
		return nil
	}
	ctx, cancel := lifecycle.Within(ctx, detachWithin, "not detached")
	defer cancel()
	began, told := time.Now(), ""
	for {
		still, err := d.client.attachedTo(ctx, d.node, d.claims)
		if err == nil && len(still) == 0 {
			return nil
		}
		if names := claimNames(still); err == nil && names != told {
			d.progress("waiting until its volumes are detached from " + d.node + ": " + names)
			told = names
		}
		select {
		case <-ctx.Done():
			return d.notDetached(ctx, told, time.Since(began), err)
		case <-time.After(detachPoll):
		}
	}
}

// notDetached tells of volumes that were not detached in time. Only whoever stopped the drain makes an error of it.
func (d *drainer) notDetached(ctx context.Context, claims string, waited time.Duration, err error) error {
	if ctx.Err() == context.Canceled {
		return ctx.Err()
	}
	switch {
	case claims != "":
		d.progress(fmt.Sprintf("not detached from %s within %s: %s; the drain goes on without, and their pods may have to wait elsewhere until "+
			"Kubernetes detaches by force", d.node, waited.Round(time.Second), claims))
	case err != nil:
		d.progress("whether volumes are still attached to " + d.node + " is not known: " + err.Error())
	}
	return nil
}

func claimNames(as []attachment) string {
	var names []string
	for _, a := range as {
		names = append(names, a.claim)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// attachedTo are the attachments to a node of volumes that are bound to the claims and that one node alone may have.
func (c *Client) attachedTo(ctx context.Context, node string, claims map[types.NamespacedName]bool) ([]attachment, error) {
	volumes := map[string]string{} // claims, by the name of their volume
	for _, claim := range slices.SortedFunc(maps.Keys(claims), func(a, b types.NamespacedName) int {
		return strings.Compare(a.String(), b.String())
	}) {
		volume, err := c.volumeOf(ctx, claim)
		if err != nil {
			return nil, err
		}
		if volume != "" {
			volumes[volume] = claim.String()
		}
	}
	if len(volumes) == 0 {
		return nil, nil
	}
	type attachments = []storagev1.VolumeAttachment
	all, err := pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) (attachments, string, error) {
		list, err := c.api.StorageV1().VolumeAttachments().List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list volume attachments: %w", err)
		}
		return list.Items, list.Continue, nil
	})
	if err != nil {
		return nil, err
	}
	var out []attachment
	for i := range all {
		a := &all[i]
		if v := a.Spec.Source.PersistentVolumeName; a.Spec.NodeName == node && v != nil && volumes[*v] != "" {
			out = append(out, attachment{a.Name, volumes[*v]})
		}
	}
	return out, nil
}

// volumeOf is the volume of a claim that one node alone may have; "" where several may, or where there is no claim or volume.
func (c *Client) volumeOf(ctx context.Context, claim types.NamespacedName) (string, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	pvc, err := c.api.CoreV1().PersistentVolumeClaims(claim.Namespace).Get(ctx, claim.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("get claim %s: %w", claim, err)
	}
	modes := pvc.Status.AccessModes
	if len(modes) == 0 {
		modes = pvc.Spec.AccessModes
	}
	if slices.Contains(modes, corev1.ReadWriteMany) || slices.Contains(modes, corev1.ReadOnlyMany) {
		return "", nil
	}
	return pvc.Spec.VolumeName, nil
}
