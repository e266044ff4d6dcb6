package helm

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"helm.sh/helm/v4/pkg/storage/driver"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"kiban.dev/kiban/lifecycle"
)

// Transient reports whether an operation may succeed when it is tried again in a moment: a webhook or an aggregated API is not up yet, a
// definition is not served yet, or the API server is busy.
func Transient(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if apierrors.IsServiceUnavailable(err) || apierrors.IsTooManyRequests(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) {
		return true
	}
	text := err.Error()
	if strings.Contains(text, "failed calling webhook") {
		// A webhook that answered and said no is another message: "denied the request".
		return !strings.Contains(text, "denied the request")
	}
	for _, s := range []string{"no matches for kind", "could not find the requested resource", "connection refused",
		"connection reset by peer",
		"http2: client connection lost", "unexpected EOF", "the server is currently unable to handle the request"} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// dumped is how the API server shows a value whose type is wrong, in a Secret as well.
var dumped = regexp.MustCompile(`&value\.valueUnstructured\{.*\}`)

// failure gives an error of the SDK words that can be acted upon, where its cause is clear.
func failure(err error, namespace, name string) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[lifecycle.Diagnostic](err); ok {
		return err
	}
	if _, ok := errors.AsType[lifecycle.Diagnostics](err); ok {
		return err
	}
	d := lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Detail: dumped.ReplaceAllString(err.Error(), "another type"),
		Subject: namespace + "/" + name, Cause: err}
	text := err.Error()
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && !ofHook(text):
		return fmt.Errorf("Helm release %s/%s: %w", namespace, name, err)
	case strings.Contains(text, "denied the request"):
		d.Summary = fmt.Sprintf("a webhook denies an object of Helm release %s", name)
		d.Hint = "The detail says what it wants; correct the addon's values"
	case strings.Contains(text, "failed calling webhook"):
		d.Summary = fmt.Sprintf("a webhook that judges objects of Helm release %s did not answer", name)
		d.Hint = "Look at the pods behind the webhook's service, and at the way from the API server to them (konnectivity); then apply again"
	case ofHook(text):
		d.Summary = fmt.Sprintf("a hook of Helm release %s failed", name)
		d.Hint = fmt.Sprintf("kubectl -n %s get jobs,pods shows it, kubectl logs why; correct it and apply again", namespace)
	case strings.Contains(text, "Too long: may not be more than") || strings.Contains(text, "must have at most 1048576") ||
		apierrors.IsRequestEntityTooLargeError(err):
		d.Summary = fmt.Sprintf("the record of Helm release %s is larger than a Secret may be (1 MiB)", name)
		d.Hint = "Leave out parts of the chart by its values, or declare the rendered manifests in place of the chart"
	case apierrors.IsForbidden(err):
		d.Summary = fmt.Sprintf("Helm release %s holds what the API server forbids", name)
		d.Hint = "A quota, a pod security level or the kubeconfig's rights are in the way; the detail says which"
	case apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || strings.Contains(text, "failed to create typed patch object"):
		d.Summary = fmt.Sprintf("the API server does not take an object of Helm release %s", name)
		d.Hint = "Correct the addon's values, or use a version of the chart that is made for this version of Kubernetes"
	case strings.Contains(text, "no matches for kind"):
		d.Summary = fmt.Sprintf("Helm release %s holds a kind that the cluster does not know", name)
		d.Hint = "An addon that brings its definition belongs in dependsOn; or switch it off in the values"
	case errors.Is(err, driver.ErrReleaseExists):
		d.Summary = fmt.Sprintf("someone else changed Helm release %s in the same moment", name)
		d.Hint = "Find out who runs helm against this cluster, and apply again"
	default:
		d.Summary = fmt.Sprintf("Helm release %s could not be changed", name)
		d.Hint = "The detail is what Helm and the API server said; when it is put right, apply again"
	}
	return d
}

// ofHook reports whether the SDK speaks of a hook of the chart.
func ofHook(text string) bool {
	for _, s := range []string{"failed pre-install", "failed post-install", "hooks failed", "Hook pre-", "Hook post-", " hook "} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// short is the end of an error's text, where its cause is, for a line of progress.
func short(err error) string {
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	if r := []rune(text); len(r) > 160 {
		return "..." + string(r[len(r)-157:])
	}
	return text
}
