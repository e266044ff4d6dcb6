package kube

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kiban.dev/kiban/lifecycle"
)

// refused is the verdict on an object that a dry run did not take.
func (j *judge) refused(v verdict, o lifecycle.Object, live, desired *unstructured.Unstructured, err error) (verdict, error) {
	status, answered := statusOf(err)
	switch _, ours := defines(j.defs, o.ObjectRef); {
	case !answered:
		return v, fmt.Errorf("compare %s: %w", o, err)
	case notUp(err):
		return unjudged(v, live, desired, couldNotBeJudged(err)), nil
	case noDryRun.MatchString(status.Message):
		return unjudged(v, live, desired, "could not be judged: webhook "+noDryRun.FindStringSubmatch(status.Message)[1]+" takes no dry runs"),
			nil
	case missingNamespace(err) && j.namespaces[o.Namespace]:
		v.change.Change = lifecycle.ChangeCreate // what the API would say of it is known when the namespace is there
		return v, nil
	case ours && otherSchema(err):
		return unjudged(v, live, desired, "could not be judged: its definition is changed before it"), nil
	}
	if fields := immutable(status); live != nil && len(fields) > 0 {
		return replaced(v, o, live, desired, fields), nil
	}
	d := refusal(o, status, err)
	v.change, v.refused = lifecycle.ObjectChange{}, &d
	return v, nil
}

// refusal is what an operator is told of an object that the API does not take.
func refusal(o lifecycle.Object, status metav1.Status, err error) lifecycle.Diagnostic {
	d := lifecycle.Errorf(o.Source, "the API refuses %s", o.String()).
		Because(message(o.ObjectRef, status)).
		Try("Correct the object; `kubectl apply --server-side --dry-run=server` shows the same").
		Hiding(err)
	switch {
	case missingNamespace(err):
		d.Hint = "Declare the namespace, or name one that is there"
	case o.Kind == "CustomResourceDefinition" && strings.Contains(d.Detail, "storedVersions"):
		d.Summary, d.Hint = o.String()+" drops a version that objects are stored in",
			"Keep the version until every object has been written in another one and status.storedVersions no longer names it"
	}
	return d
}

// unchangeable is what an operator is told of an object that would have to be deleted, which stops what runs or loses data.
func unchangeable(o lifecycle.Object, fields []string) lifecycle.Diagnostic {
	return lifecycle.Blockedf(o.Source, "%s can't be changed in place", o.String()).
		Because("the API does not let a change pass of " + strings.Join(fields, ", ")).
		Try("Declare what is there, or delete the object when what runs on it may stop: kiban does not delete it by itself")
}

// unjudged is the verdict when the API could not say. An object that has every declared value already is taken to be as declared.
func unjudged(v verdict, live, desired *unstructured.Unstructured, why string) verdict {
	if v.change.Change == "" {
		if live != nil && within(desired.Object, live.Object) {
			return verdict{}
		}
		v.change.Change, v.change.Drift = lifecycle.ChangeUpdate, false
	}
	v.change.Reason = strings.TrimPrefix(v.change.Reason+"; "+why, "; ")
	return v
}

// within reports whether an object has all values of another, whatever it has beside them.
func within(part, whole map[string]any) bool {
	for _, d := range lifecycle.DiffFields(part, whole) {
		if d.HasA {
			return false
		}
	}
	return true
}

// replaced is the verdict on an object of which fields differ that can't be changed in place.
func replaced(v verdict, o lifecycle.Object, live, desired *unstructured.Unstructured, fields []string) verdict {
	if !replaceable(o.ObjectRef) {
		v.change = lifecycle.ObjectChange{}
		d := unchangeable(o, fields)
		v.refused = &d
		return v
	}
	v.change.Change, v.change.Reason = lifecycle.ChangeReplace, "can't be changed in place: "+strings.Join(fields, ", ")
	writers := writersOf(live)
	for _, f := range fields {
		from, isThere := lifecycle.FieldValue(live.Object, f)
		to, declared := lifecycle.FieldValue(desired.Object, f)
		c := lifecycle.FieldChange{Field: f}
		secret := isSecret(o.ObjectRef) && holdsValues(f)
		if isThere {
			c.From = show(f, from, secret)
			c.By, c.At = writers.of(live.Object, f)
		}
		if declared {
			c.To = show(f, to, secret)
		}
		if isThere || declared {
			v.change.Fields = append(v.change.Fields, c)
		}
	}
	return v
}

// replaceable reports whether deleting an object of that kind and making it again stops nothing that runs and loses no data.
func replaceable(r lifecycle.ObjectRef) bool {
	kinds := map[string][]string{
		"":                          {"ConfigMap", "Secret"},
		"batch":                     {"Job"},
		"rbac.authorization.k8s.io": {"RoleBinding", "ClusterRoleBinding"},
		"storage.k8s.io":            {"StorageClass", "CSIDriver"},
		"scheduling.k8s.io":         {"PriorityClass"},
		"networking.k8s.io":         {"IngressClass"},
		"node.k8s.io":               {"RuntimeClass"},
	}
	return slices.Contains(kinds[r.Group()], r.Kind)
}

// immutable are the fields that an answer says can't be changed, with the API's words for it in each kind.
func immutable(status metav1.Status) []string {
	if status.Code != http.StatusUnprocessableEntity || status.Details == nil {
		return nil
	}
	words := []string{"field is immutable", "is immutable after", "may not change once set", "cannot change roleRef",
		"updates to statefulset spec for fields other than",
		"pod updates may not change fields other than", "may not be changed in an update", "updates to parameters are forbidden",
		"updates to provisioner are forbidden",
		"updates to reclaimPolicy are forbidden", "updates to volumeBindingMode are forbidden", "may not change after creation",
		"may not be changed once set", "is immutable once set"}
	var fields []string
	for _, cause := range status.Details.Causes {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(cause.Message, w) }) {
			fields = append(fields, cause.Field)
		}
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// message is the API's, without the values of a Secret.
func message(r lifecycle.ObjectRef, status metav1.Status) string {
	if !isSecret(r) {
		return status.Message
	}
	if status.Details == nil || len(status.Details.Causes) == 0 {
		return fmt.Sprintf("%s (%d); the message may hold secret values and is not shown", status.Reason, status.Code)
	}
	var fields []string
	for _, cause := range status.Details.Causes {
		fields = append(fields, string(cause.Type)+": "+cause.Field)
	}
	return strings.Join(fields, "\n")
}

// missingNamespace reports whether an object was refused because its namespace is not there.
func missingNamespace(err error) bool {
	status, ok := statusOf(err)
	return ok && apierrors.IsNotFound(err) && status.Details != nil && status.Details.Kind == "namespaces"
}

// otherSchema reports whether the API does not know a field of the object.
func otherSchema(err error) bool {
	return strings.Contains(err.Error(), "field not declared in schema") || strings.Contains(err.Error(), "unknown field")
}

// pause waits, or ends with the context.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return lifecycle.WhyEnded(ctx)
	case <-timer.C:
		return nil
	}
}
