package images

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/retry"
)

func definitionResource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
}

// absent takes an error that says that something is not there for none.
func absent(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// writeConversionBundle is writeBundle for the conversion webhook of a CustomResourceDefinition; one that has none is left alone.
func writeConversionBundle(ctx context.Context, client dynamic.Interface, name, by string, ca []byte) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		crd, err := client.Resource(definitionResource()).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		path := []string{"spec", "conversion", "webhook", "clientConfig"}
		hook, found, err := unstructured.NestedMap(crd.Object, path...)
		if err != nil || !found {
			return err
		}
		encoded, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&struct {
			CABundle []byte `json:"caBundle"`
		}{ca})
		if err != nil || hook["caBundle"] == encoded["caBundle"] {
			return err
		}
		hook["caBundle"] = encoded["caBundle"]
		if err := unstructured.SetNestedMap(crd.Object, hook, path...); err != nil {
			return err
		}
		_, err = client.Resource(definitionResource()).Update(ctx, crd, metav1.UpdateOptions{FieldManager: by})
		return err
	})
}

// convert answers that every object is the same in the version that is asked for.
func convert(w http.ResponseWriter, r *http.Request) {
	var review struct {
		metav1.TypeMeta `json:",inline"`
		Request         *struct {
			UID     string           `json:"uid"`
			Desired string           `json:"desiredAPIVersion"`
			Objects []map[string]any `json:"objects"`
		} `json:"request,omitempty"`
		Response any `json:"response,omitempty"`
	}
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(w, fmt.Sprintf("not a conversion review: %v", err), http.StatusBadRequest)
		return
	}
	for _, o := range review.Request.Objects {
		o["apiVersion"] = review.Request.Desired
	}
	review.Response = map[string]any{"uid": review.Request.UID, "convertedObjects": review.Request.Objects,
		"result": metav1.Status{Status: metav1.StatusSuccess}}
	review.Request = nil
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(review) // the API server may have gone away
}
