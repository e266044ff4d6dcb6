package kube

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// refusedWith is the API's answer with its causes, "field: message".
func refusedWith(code int32, message string, causes ...string) error {
	s := metav1.Status{Code: code, Message: message, Details: &metav1.StatusDetails{}}
	for _, c := range causes {
		field, text, _ := strings.Cut(c, ": ")
		s.Details.Causes = append(s.Details.Causes, metav1.StatusCause{Type: metav1.CauseTypeFieldValueInvalid, Field: field, Message: text})
	}
	return fmt.Errorf("patch: %w", &apierrors.StatusError{ErrStatus: s})
}

// TestImmutable: the API's words for a field that can't be changed are told from those for one that is wrong.
func TestImmutable(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"a selector": {refusedWith(422, "", `spec.selector: Invalid value: {}: field is immutable`), "spec.selector"},
		"a role":     {refusedWith(422, "", `roleRef: Invalid value: {}: cannot change roleRef`), "roleRef"},
		"a stateful set": {refusedWith(422, "",
			`spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals' are forbidden`), "spec"},
		"a claim": {refusedWith(422, "",
			`spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims`), "spec"},
		"an address": {refusedWith(422, "", `spec.clusterIPs[0]: Invalid value: []string(nil): may not change once set`),
			"spec.clusterIPs[0]"},
		"a storage class": {refusedWith(422, "", `parameters: Forbidden: updates to parameters are forbidden.`,
			`provisioner: Forbidden: updates to provisioner are forbidden.`), "parameters provisioner"},
		"twice":             {refusedWith(422, "", `spec.template: field is immutable`, `spec.template: field is immutable`), "spec.template"},
		"a wrong value":     {refusedWith(422, "", `spec.replicas: Invalid value: -1: must be greater than or equal to 0`), ""},
		"no permission":     {refusedWith(403, "field is immutable", `spec: field is immutable`), ""},
		"no details at all": {fmt.Errorf("get: %w", &apierrors.StatusError{ErrStatus: metav1.Status{Code: 422}}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, ok := statusOf(tc.err)
			if got := strings.Join(immutable(status), " "); !ok || got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestReplaceable: what runs or holds data is never deleted to be made anew.
func TestReplaceable(t *testing.T) {
	for kind, want := range map[string]bool{"v1 ConfigMap": true, "batch/v1 Job": true, "rbac.authorization.k8s.io/v1 RoleBinding": true,
		"storage.k8s.io/v1 StorageClass": true,
		"apps/v1 Deployment":             false, "apps/v1 StatefulSet": false, "apps/v1 DaemonSet": false, "v1 PersistentVolumeClaim": false,
		"v1 Service": false, "v1 Namespace": false, "v1 Pod": false,
		"apiextensions.k8s.io/v1 CustomResourceDefinition": false, "example.org/v1 Job": false} {
		version, name, _ := strings.Cut(kind, " ")
		if got := replaceable(lifecycle.ObjectRef{APIVersion: version, Kind: name}); got != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
}

// TestNotUp: a webhook that does not answer is told from one that refuses.
func TestNotUp(t *testing.T) {
	const failed = `Internal error occurred: failed calling webhook "pool.metallb.io": `
	for message, want := range map[string]string{
		failed + `failed to call webhook: Post "https://x": dial tcp: connect: connection refused`: "webhook pool.metallb.io",
		failed + `no endpoints available for service "x"`:                                          "webhook pool.metallb.io",
		`conversion webhook for a/v1, Kind=B failed: Post "https://x": no service port 443 found`:  "the conversion webhook for a/v1, Kind=B",
		`admission webhook "pool.metallb.io" denied the request: CIDR overlaps`:                    "",
		`Internal error occurred: etcd`:                                                            "",
	} {
		err := refusedWith(500, message)
		if got := notUp(err); got != (want != "") {
			t.Errorf("%s: %v", message, got)
		}
		if want != "" && webhook(err) != want {
			t.Errorf("%s: %q", message, webhook(err))
		}
	}
	if notUp(refusedWith(400, `failed calling webhook "x": bad`)) || notUp(errors.New(`failed calling webhook "x": bad`)) {
		t.Error("an answer of another kind is taken for a webhook that is not up")
	}
}

// TestRefusalHidesSecrets: what the API says of a Secret's values is not passed on.
func TestRefusalHidesSecrets(t *testing.T) {
	secret := lifecycle.Object{ObjectRef: lifecycle.ObjectRef{APIVersion: "v1", Kind: "Secret", Name: "x"}, Source: "a.yaml:3"}
	for _, err := range []error{refusedWith(422, `Secret "x" is invalid: data[a]: Invalid value: "hunter2"`,
		`data[a]: Invalid value: "hunter2": no`), refusedWith(400, "hunter2")} {
		status, _ := statusOf(err)
		if d := refusal(secret, status, err); strings.Contains(d.Error(), "hunter2") || d.Subject != "a.yaml:3" || d.Hint == "" ||
			d.Detail == "" {
			t.Errorf("got %+v", d)
		}
	}
	for field, want := range map[string]bool{"data.token": true, `data["a.b"]`: true, "data": true, "stringData.x": true,
		`metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]`: true,
		"metadata.labels.data": false, "type": false} {
		if holdsValues(field) != want {
			t.Errorf("%s: %v", field, !want)
		}
	}
}

func TestShow(t *testing.T) {
	for want, v := range map[string]any{`"a<b"`: "a<b", "3": int64(3), "null": nil, `{"a":[1]}`: map[string]any{"a": []any{1}},
		lifecycle.Masked: nil} {
		if got := show("spec.x", v, want == lifecycle.Masked); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := []rune(show("spec.x", strings.Repeat("長", 500), false)); len(got) != shownRunes || got[len(got)-1] != '…' {
		t.Errorf("got %d runes", len(got))
	}
}

// A plan shows how objects differ, and some that are no Secrets hold one.
func TestShowHidesSecretsOfObjects(t *testing.T) {
	variable := func(name, value string) any { return map[string]any{"name": name, "value": value} }
	env := map[string]any{"env": []any{variable("DB_PASSWORD", "hunter2"), variable("MODE", "fast")}}
	for _, c := range []struct {
		field, want string
		value       any
	}{
		{`spec.template.spec.containers[name=app].env[name=DB_PASSWORD].value`, `"(masked)"`, "hunter2"},
		{`spec.template.spec.containers[name=app].env[name=MODE].value`, `"fast"`, "fast"},
		{"spec.template.spec.containers[name=app]", `{"env":[{"name":"DB_PASSWORD","value":"(masked)"},{"name":"MODE","value":"fast"}]}`, env},
		{`data["db-password"]`, `"(masked)"`, "hunter2"},
		{"data.url", `"postgres://(masked)@db/x"`, "postgres://me:hunter2@db/x"},
		{`data["app.json"]`, `"{\"password\":(masked)}"`, `{"password":"hunter2"}`},
		{"spec.tls[0].secretName", `"web-tls"`, "web-tls"},
		{"spec.automountServiceAccountToken", "true", true},
		{"spec.env[0].valueFrom.secretKeyRef.key", `"a"`, "a"},
	} {
		if got := show(c.field, c.value, false); got != c.want {
			t.Errorf("%s: got %s, want %s", c.field, got, c.want)
		}
	}
}

func TestPodTrouble(t *testing.T) {
	pod := func(edit func(*corev1.PodStatus)) corev1.Pod {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web-1"}, Status: corev1.PodStatus{Phase: corev1.PodPending}}
		edit(&p.Status)
		return p
	}
	waiting := func(reason, message string) func(*corev1.PodStatus) {
		return func(s *corev1.PodStatus) {
			s.ContainerStatuses = []corev1.ContainerStatus{{Name: "c",
				State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}}
		}
	}
	crashing := pod(waiting("CrashLoopBackOff", "back-off 5m0s"))
	crashing.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 2,
		Message: "no such flag\n"}
	nowhere := pod(func(s *corev1.PodStatus) {
		s.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable",
			Message: "0/3 nodes are available"}}
	})
	fine := pod(func(s *corev1.PodStatus) {
		s.Phase, s.Conditions = corev1.PodRunning, []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	})
	starting := pod(waiting("ContainerCreating", ""))
	starting.CreationTimestamp = metav1.NewTime(time.Unix(1, 0))
	for name, tc := range map[string]struct {
		pods []corev1.Pod
		want string
	}{
		"no pods":  {nil, ""},
		"all fine": {[]corev1.Pod{fine}, ""},
		"an image that is not there": {[]corev1.Pod{pod(waiting("ImagePullBackOff", "Back-off pulling image \"x\""))},
			`pod web-1: container c: ImagePullBackOff: Back-off pulling image "x"`},
		"it crashes": {[]corev1.Pod{fine, crashing},
			"pod web-1: container c: CrashLoopBackOff: back-off 5m0s; it ended with code 2: no such flag"},
		"no node takes it":               {[]corev1.Pod{nowhere}, "pod web-1: Unschedulable: 0/3 nodes are available"},
		"being started":                  {[]corev1.Pod{starting}, "pod web-1: it is Pending"},
		"one that fails before the rest": {[]corev1.Pod{starting, nowhere}, "pod web-1: Unschedulable: 0/3 nodes are available"},
		"running, not Ready": {[]corev1.Pod{pod(func(s *corev1.PodStatus) { s.Phase = corev1.PodRunning })},
			"pod web-1: it runs and is not Ready"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := firstFailing(tc.pods); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
