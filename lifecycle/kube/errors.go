package kube

import (
	"context"
	"errors"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// worthRepeating reports whether a call may succeed when it is made again: another writer was faster, the server was
// stopping or overloaded, or the connection broke.
func worthRepeating(err error) bool {
	var d lifecycle.Diagnostic
	if errors.As(err, &d) || errors.Is(err, context.Canceled) {
		return false
	}
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) {
		return true // no answer at all
	}
	switch code := status.Status().Code; code {
	case http.StatusConflict, http.StatusTooManyRequests:
		return true
	default:
		return code >= 500
	}
}

// statusOf is what the API answered with; false when there was no answer.
func statusOf(err error) (metav1.Status, bool) {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) {
		return metav1.Status{}, false
	}
	return status.Status(), true
}
