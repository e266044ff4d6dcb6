package kube

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// configMapData is the data of a ConfigMap of kiban's own in kube-system; nil when there is none.
func (c *Client) configMapData(ctx context.Context, name string) (map[string]string, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	cm, err := c.api.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get %s/%s: %w", metav1.NamespaceSystem, name, err)
	}
	return cm.Data, nil
}

// keep changes the data of a ConfigMap of kiban's own in kube-system, which it makes where there is none. change is given a copy, nil at
// first, and may be called again: a write on top of something unread is refused by the API, and made again. Data that stays the same is
// not written.
func (c *Client) keep(ctx context.Context, name string, change func(data map[string]string) (map[string]string, error)) error {
	return c.insist(ctx, "write "+metav1.NamespaceSystem+"/"+name, func() error { return c.keepOnce(ctx, name, change) })
}

func (c *Client) keepOnce(ctx context.Context, name string, change func(map[string]string) (map[string]string, error)) error {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	objects := c.api.CoreV1().ConfigMaps(metav1.NamespaceSystem)
	cm, err := objects.Get(ctx, name, metav1.GetOptions{})
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return fmt.Errorf("get %s/%s: %w", metav1.NamespaceSystem, name, err)
	}
	if missing {
		cm = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: metav1.NamespaceSystem, Labels: ownLabels()}}
	}
	data, err := change(maps.Clone(cm.Data))
	if err != nil || maps.Equal(data, cm.Data) {
		return err
	}
	cm.Data = data
	if missing {
		_, err = objects.Create(ctx, cm, metav1.CreateOptions{FieldManager: manager})
	} else {
		_, err = objects.Update(ctx, cm, metav1.UpdateOptions{FieldManager: manager})
	}
	if err != nil {
		return fmt.Errorf("write %s/%s: %w", metav1.NamespaceSystem, name, err)
	}
	return nil
}
