package twin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func objects(t *testing.T, list ...string) []Object {
	t.Helper()
	var out []Object
	for _, text := range list {
		o, err := ParseObject([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		out = append(out, o)
	}
	return out
}

func meta(namespace, name, rest string) string {
	return fmt.Sprintf(`"metadata":{"namespace":%q,"name":%q,"uid":"u","resourceVersion":"1"%s}`, namespace, name, rest)
}

const (
	running = `"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T10:00:20Z"}],
		"containerStatuses":[{"state":{"running":{"startedAt":"2026-01-01T10:00:05Z"}}}]}`
	ofReplicaSet = `,"labels":{"app":"web","pod-template-hash":"5d"},"ownerReferences":[{"kind":"ReplicaSet","name":"web-5d","controller":true}]`
)

// TestTame: what a twin gets of a site does no harm, and behaves as it did there.
func TestTame(t *testing.T) {
	pod := func(name, owner, rest string) string {
		return `{"apiVersion":"v1","kind":"Pod",` + meta("shop", name, owner) + `,"spec":{"nodeName":"worker-1","priority":7` + rest + `},` + running + `}`
	}
	tamed := Tame(Snapshot{Objects: objects(t,
		`{"apiVersion":"v1","kind":"Service",`+meta("shop", "web", "")+`,"spec":{"selector":{"app":"web"},"clusterIP":"10.96.1.1","type":"LoadBalancer"}}`,
		pod("web-5d-a", ofReplicaSet, ""),
		pod("op-0", `,"labels":{"app":"op"},"ownerReferences":[{"kind":"Kafka","name":"main","controller":true}]`, ""),
		pod("daemon-x", `,"ownerReferences":[{"kind":"DaemonSet","name":"d","controller":true}]`, ""),
		pod("stuck", `,"finalizers":["example.com/hold"],"ownerReferences":[{"kind":"ReplicaSet","name":"z","controller":true}]`, ""),
		`{"apiVersion":"apps/v1","kind":"Deployment",`+meta("shop", "web", `,"finalizers":["foo"]`)+
			`,"spec":{"template":{"metadata":{"labels":{"app":"web"}},"spec":{}}}}`,
		`{"apiVersion":"apps/v1","kind":"ReplicaSet",`+meta("shop", "web-old", "")+`,"spec":{"replicas":0}}`,
		`{"apiVersion":"batch/v1","kind":"CronJob",`+meta("shop", "nightly", "")+`,"spec":{"suspend":false}}`,
		`{"apiVersion":"batch/v1","kind":"Job",`+meta("shop", "once", "")+`,"spec":{}}`,
		`{"apiVersion":"v1","kind":"Secret","type":"helm.sh/release.v1",`+meta("shop", "sh.helm.release.v1.web.v1", "")+`}`,
		`{"apiVersion":"v1","kind":"Secret","type":"Opaque",`+meta("shop", "login", "")+`,"data":{"key":"Ymxhbms="}}`,
		`{"apiVersion":"v1","kind":"Node",`+meta("", "worker-1", "")+`}`,
		`{"apiVersion":"v1","kind":"ConfigMap",`+meta("kube-system", "kiban-site", "")+`}`,
		`{"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService",`+meta("", "v1beta1.metrics.k8s.io", "")+`,"spec":{"service":{"name":"m"}}}`,
		`{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration",`+meta("", "guard", "")+`,"webhooks":[
			{"name":"in","clientConfig":{"caBundle":"Zm9v","service":{"namespace":"shop","name":"web"}}},
			{"name":"out","clientConfig":{"url":"https://hook.example.com"}}]}`,
		`{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass",`+meta("", "fast", "")+`,"provisioner":"ebs.csi.aws.com","parameters":{"a":"b"}}`,
		`{"apiVersion":"apps/v1","kind":"StatefulSet",`+meta("shop", "db", "")+`,"spec":{"updateStrategy":{"type":"RollingUpdate"},"template":{}}}`,
		`{"apiVersion":"v1","kind":"Namespace",`+meta("", "shop", "")+`}`,
	)})
	all, err := json.Marshal(tamed.Objects)
	if err != nil {
		t.Fatal(err)
	}
	text := string(all)
	for _, harm := range []string{`"uid"`, "resourceVersion", "ownerReferences", `"status"`, "10.96.1.1", "hook.example.com", "caBundle", "ebs.csi",
		"helm.sh", "kiban-site", `"Node"`, `"Job"`, "APIService", "daemon-x", "web-old", `"priority"`, `"foo"`, "RollingUpdate"} {
		if strings.Contains(text, harm) {
			t.Errorf("%s is still there:\n%s", harm, text)
		}
	}
	for _, kept := range []string{`"suspend":true`, `"pod-template-hash":"5d"`, `"nodeName":"worker-1"`, `"lab.kiban.dev/ready-after":"15s"`,
		`"lab.kiban.dev/serve":"true"`, `"lab.kiban.dev/webhook":"guard"`, "lab.kiban.dev/provisioner", "OnDelete", "example.com/hold",
		`"lab.kiban.dev/stands-for":"kafka-main"`} {
		if !strings.Contains(text, kept) {
			t.Errorf("%s is not there:\n%s", kept, text)
		}
	}
	var order []string
	for _, o := range tamed.Objects {
		if kind := o.kind(); !slices.Contains(order, kind) {
			order = append(order, kind)
		}
	}
	want := "Namespace StorageClass Secret Service Pod ReplicaSet Deployment StatefulSet CronJob ValidatingWebhookConfiguration"
	if got := strings.Join(order, " "); got != want {
		t.Errorf("the order is %s, want %s", got, want)
	}
	if tamed.Ready != 4 {
		t.Errorf("%d pods, want 4", tamed.Ready)
	}
	var told []string
	for _, d := range tamed.Differences {
		told = append(told, d.What)
	}
	for _, what := range []string{"Secrets", "CronJobs", "Jobs", "APIs of other", "Webhooks that answer from outside", "Webhooks allow",
		"LoadBalancer", "Helm", "finalizers", "ReplicaSets"} {
		if !strings.Contains(strings.Join(told, "\n"), what) {
			t.Errorf("%q is not told: %q", what, told)
		}
	}
}

// TestWebhooks: one that is silent at the site, for nothing is behind its Service any more, is silent in the twin. One that answers from
// outside of the cluster is not there.
func TestWebhooks(t *testing.T) {
	const behind = `"clientConfig":{"caBundle":"Zm9v","service":{"namespace":"shop","name":"guard"}}`
	for name, c := range map[string]struct {
		service, config string
		kept            bool
	}{
		"a Service with pods":      {`"spec":{"selector":{"app":"guard"}}`, behind, true},
		"its Service is gone":      {"", behind, true},
		"a Service that leads out": {`"spec":{"type":"ExternalName","externalName":"hook.example.com"}`, behind, false},
		"endpoints of somebody":    {`"spec":{}`, behind, false},
		"an address of its own":    {"", `"clientConfig":{"url":"https://hook.example.com"}`, false},
	} {
		all := []string{`{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration",` + meta("", "guard", "") +
			`,"webhooks":[{"name":"a","failurePolicy":"Fail",` + c.config + `}]}`}
		if c.service != "" {
			all = append(all, `{"apiVersion":"v1","kind":"Service",`+meta("shop", "guard", "")+`,`+c.service+`}`)
		}
		kept := false
		for _, o := range Tame(Snapshot{Objects: objects(t, all...)}).Objects {
			kept = kept || o.kind() == "ValidatingWebhookConfiguration"
		}
		if kept != c.kept {
			t.Errorf("%s: kept %v", name, kept)
		}
	}
}

// TestTamePodsOfAbsentMachines: a pod of a node that the twin does not have would wait there for ever, in the way of its budget.
func TestTamePodsOfAbsentMachines(t *testing.T) {
	pod := func(name, node string) string {
		return `{"apiVersion":"v1","kind":"Pod",` + meta("shop", name, ofReplicaSet) + `,"spec":{"nodeName":"` + node + `"},` + running + `}`
	}
	tamed := Tame(Snapshot{Machines: []SiteMachine{{Name: "worker-1"}},
		Objects: objects(t, pod("here", "worker-1"), pod("gone-1", "worker-2"), pod("gone-2", "worker-2"))})
	if tamed.Ready != 1 || len(tamed.Objects) != 1 || tamed.Objects[0].name() != "here" {
		t.Errorf("%d are to be ready: %v", tamed.Ready, tamed.Objects)
	}
	told := fmt.Sprint(tamed.Differences)
	if !strings.Contains(told, "Pods of nodes that are not in the twin are left out (2)") {
		t.Errorf("it is not told: %s", told)
	}
}
