package twin

import (
	"fmt"
	"testing"
)

// TestNamespaceThatIsBeingDeleted: what goes with its namespace is left out and counted, and decides nothing about what stays.
func TestNamespaceThatIsBeingDeleted(t *testing.T) {
	const ends = `,"deletionTimestamp":"2026-01-01T10:00:00Z"`
	hook := `{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration",` + meta("", "guard", "") +
		`,"webhooks":[{"name":"in","clientConfig":{"service":{"namespace":"old","name":"web"}}}]}`
	tamed := Tame(Snapshot{Objects: objects(t,
		`{"apiVersion":"v1","kind":"ConfigMap",`+meta("old", "before-its-namespace", "")+`}`,
		`{"apiVersion":"v1","kind":"Namespace",`+meta("", "old", ends)+`}`,
		`{"apiVersion":"v1","kind":"Namespace",`+meta("", "older", ends)+`}`,
		`{"apiVersion":"v1","kind":"Namespace",`+meta("", "empty", ends)+`}`,
		`{"apiVersion":"v1","kind":"Service",`+meta("old", "web", "")+`,"spec":{"selector":{"app":"web"}}}`,
		`{"apiVersion":"v1","kind":"Pod",`+meta("old", "web-1", `,"labels":{"app":"web"}`)+`,"spec":{"nodeName":"worker-1"},`+running+`}`,
		`{"apiVersion":"v1","kind":"ConfigMap",`+meta("older", "a", "")+`}`,
		`{"apiVersion":"v1","kind":"ConfigMap",`+meta("shop", "stays", "")+`}`, hook,
	)})
	// Its webhook stays behind, which is of no namespace.
	if len(tamed.Objects) != 2 || tamed.Objects[0].name() != "stays" || tamed.Objects[1].name() != "guard" || tamed.Ready != 0 {
		t.Errorf("%d pods, %v", tamed.Ready, tamed.Objects)
	}
	var told []string
	for _, d := range tamed.Differences {
		told = append(told, d.What)
	}
	want := "[Webhooks allow everything (1) Namespace empty is being deleted; its 0 objects are left out " +
		"Namespace old is being deleted; its 3 objects are left out Namespace older is being deleted; its 1 object is left out]"
	if got := fmt.Sprint(told); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
