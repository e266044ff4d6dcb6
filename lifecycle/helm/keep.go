package helm

import (
	"slices"

	"helm.sh/helm/v4/pkg/kube"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/resource"
)

// kubeClient is what the SDK's actions use of its Kubernetes client.
type kubeClient interface {
	kube.Interface
	kube.InterfaceWaitOptions
}

// keeper deletes nothing that data would go with. Helm deletes whatever is no longer in a release's templates, custom resource definitions
// with all that was made of them among it, unless the chart's author thought of an annotation.
type keeper struct{ kubeClient }

// Update leaves what must stay out of what the release had, so that Helm does not find it missing.
func (k keeper) Update(originals, targets kube.ResourceList, opts ...kube.ClientUpdateOption) (*kube.Result, error) {
	kept := originals.Filter(func(r *resource.Info) bool { return !precious(kindOf(r)) || targets.Contains(r) })
	return k.kubeClient.Update(kept, targets, opts...)
}

// Delete leaves them where they are.
func (k keeper) Delete(resources kube.ResourceList, policy metav1.DeletionPropagation) (*kube.Result, []error) {
	rest := resources.Filter(func(r *resource.Info) bool { return !precious(kindOf(r)) })
	if len(rest) == 0 {
		return &kube.Result{}, nil
	}
	return k.kubeClient.Delete(rest, policy)
}

func precious(kind string) bool {
	return slices.Contains([]string{"CustomResourceDefinition", "Namespace", "PersistentVolumeClaim"}, kind)
}

func kindOf(r *resource.Info) string {
	if r.Mapping != nil {
		return r.Mapping.GroupVersionKind.Kind
	}
	return r.Object.GetObjectKind().GroupVersionKind().Kind
}
