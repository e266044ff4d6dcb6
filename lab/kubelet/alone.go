package kubelet

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// aloneEvery is how often a kubelet that is alone says that it is there.
const aloneEvery = 30 * time.Second

// Alone is the kubelet of a node whose API does nothing by itself (lightapi): it registers the node, with its roles, and keeps its status
// up to date until ctx ends. It neither asks for a certificate nor runs pods; the faults of Join are its own.
func (f *Fleet) Alone(ctx context.Context, w Worker, client kubernetes.Interface) {
	n := newNode(w, f.Faults(w.Name))
	for {
		every := aloneEvery
		if err := n.present(ctx, client); err != nil {
			f.opts.Log.Debug("node not registered yet", "node", w.Name, "error", err)
			every = retryEvery
		}
		if pause(ctx, every) != nil {
			return
		}
	}
}

// present registers the node, or writes its status.
func (n *node) present(ctx context.Context, client kubernetes.Interface) error {
	was, err := client.CoreV1().Nodes().Get(ctx, n.worker.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		o := n.object()
		for k, v := range n.worker.Labels {
			o.Labels[k] = v
		}
		_, err = client.CoreV1().Nodes().Create(ctx, o, metav1.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	return n.writeStatus(ctx, client, was)
}
