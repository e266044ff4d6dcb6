package images

import (
	"context"
	"log/slog"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// Provisioner is what a StorageClass names to get volumes of the lab, which hold nothing.
const Provisioner = "lab.kiban.dev/provisioner"

// annotationNode is where the scheduler says which node a claim's pod goes to, annotationProvisioner where the controller manager asks a
// provisioner for a volume, annotationProvisioned where that says that the volume is its own.
const (
	annotationNode        = "volume.kubernetes.io/selected-node"
	annotationProvisioner = "volume.kubernetes.io/storage-provisioner"
	annotationProvisioned = "pv.kubernetes.io/provisioned-by"
)

// Provision makes a volume for every claim that waits for one of the lab's, and deletes it when its claim is gone: from the start of
// factory until ctx ends. It returns at once.
func Provision(ctx context.Context, client kubernetes.Interface, factory informers.SharedInformerFactory, log *slog.Logger) error {
	claims := factory.Core().V1().PersistentVolumeClaims().Informer()
	look := func(o any) {
		claim, ok := o.(*corev1.PersistentVolumeClaim)
		if !ok || claim.Spec.VolumeName != "" || claim.Spec.StorageClassName == nil || claim.Annotations[annotationProvisioner] != Provisioner {
			return
		}
		if err := provide(ctx, client, claim); err != nil && ctx.Err() == nil {
			log.Warn("no volume", "claim", claim.Namespace+"/"+claim.Name, "error", err)
		}
	}
	if _, err := claims.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: look, UpdateFunc: func(_, o any) { look(o) }}); err != nil {
		return err
	}
	reclaim := func(o any) {
		v, ok := o.(*corev1.PersistentVolume)
		if !ok || v.Status.Phase != corev1.VolumeReleased || v.Annotations[annotationProvisioned] != Provisioner ||
			v.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
			return
		}
		if err := client.CoreV1().PersistentVolumes().Delete(ctx, v.Name, metav1.DeleteOptions{}); err != nil && ctx.Err() == nil &&
			!apierrors.IsNotFound(err) {
			log.Warn("volume not deleted", "volume", v.Name, "error", err)
		}
	}
	_, err := factory.Core().V1().PersistentVolumes().Informer().
		AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: reclaim, UpdateFunc: func(_, o any) { reclaim(o) }})
	return err
}

// provide makes the volume of a claim, for the controller manager to bind.
func provide(ctx context.Context, client kubernetes.Interface, claim *corev1.PersistentVolumeClaim) error {
	class, err := client.StorageV1().StorageClasses().Get(ctx, *claim.Spec.StorageClassName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	waits := class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
	if waits && claim.Annotations[annotationNode] == "" {
		return nil
	}
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pvc-" + string(claim.UID), Annotations: map[string]string{annotationProvisioned: Provisioner}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:    corev1.ResourceList{corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]},
			AccessModes: claim.Spec.AccessModes, StorageClassName: class.Name, VolumeMode: claim.Spec.VolumeMode,
			PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/var/lib/lab/" + string(claim.UID)}},
			ClaimRef: &corev1.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: claim.Namespace, Name: claim.Name,
				UID:             claim.UID,
				ResourceVersion: claim.ResourceVersion},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
		},
	}
	if class.ReclaimPolicy != nil {
		volume.Spec.PersistentVolumeReclaimPolicy = *class.ReclaimPolicy
	}
	_, err = client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
