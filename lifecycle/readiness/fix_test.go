package readiness

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"

	"kiban.dev/kiban/lifecycle"
)

// fixed is what becomes of one file at 1.37.
func fixed(t *testing.T, text string) (string, []Fixed) {
	t.Helper()
	changed, told := Fix(map[string][]byte{"a.yaml": []byte(text)}, lifecycle.Version{Major: 1, Minor: 37})
	if b, ok := changed["a.yaml"]; ok {
		return string(b), told
	}
	return text, told
}

func TestFixKeepsEverythingElse(t *testing.T) {
	const before = `# apiVersion: policy/v1beta1 in a comment
---
apiVersion: policy/v1beta1   # to be changed
kind: PodDisruptionBudget
metadata:
  name: web    # its name
spec:
    selector: {matchLabels: {app: web}}   # odd indentation
    minAvailable: 1
---
{"kind": "CronJob", "apiVersion": "batch/v1beta1", "metadata": {"name": "job"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: note}
data:
  text: |
    apiVersion: policy/v1beta1
---
apiVersion: v1
kind: List
items:
- kind: PriorityLevelConfiguration
  metadata: {name: "größe"}
  spec: {limited: {assuredConcurrencyShares: 5}}
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1beta2'
`
	got, told := fixed(t, before)
	want := strings.NewReplacer("\napiVersion: policy/v1beta1 ", "\napiVersion: policy/v1 ", "batch/v1beta1", "batch/v1",
		"'flowcontrol.apiserver.k8s.io/v1beta2'", "'flowcontrol.apiserver.k8s.io/v1'", "assuredConcurrencyShares",
		"nominalConcurrencyShares").Replace(before)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if len(told) != 3 || told[0].Source != "a.yaml:3" || told[0].To != "policy/v1" || told[2].Renamed[0] !=
		"spec.limited.assuredConcurrencyShares to nominalConcurrencyShares" {
		t.Errorf("%+v", told)
	}
	if again, told := fixed(t, got); again != got || len(told) != 0 {
		t.Errorf("what is fixed is fixed again: %+v", told)
	}
	windows := strings.ReplaceAll(before, "\n", "\r\n")
	if got, _ := fixed(t, windows); got != strings.ReplaceAll(want, "\n", "\r\n") {
		t.Error("line endings are changed, or nothing is")
	}
}

func TestFixLeavesAlone(t *testing.T) {
	for name, c := range map[string]struct{ text, why string }{
		"a template": {"apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: {{ .Name }}}\n{{ if x }}\n",
			"can't be read as YAML"},
		"other fields": {"apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nmetadata: {name: a}\nspec: {backend: {serviceName: a}}\n",
			"fields differ"},
		"no successor": {"apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: a}\n", "no successor"},
		"another meaning": {"apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec: {selector: {}}\n",
			"all pods after"},
		"no selector": {"apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {}}\n", "spec.selector"},
		"another default": {"apiVersion: apps/v1beta1\nkind: StatefulSet\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: b}}}\n",
			"another default of spec.updateStrategy.type"},
		"a strategy of no type": {"apiVersion: apps/v1beta1\nkind: StatefulSet\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: b}}, " +
			"updateStrategy: {}}\n", "another default of spec.updateStrategy.type"},
		"a daemon set of extensions": {"apiVersion: extensions/v1beta1\nkind: DaemonSet\nmetadata: {name: a}\n" +
			"spec: {selector: {matchLabels: {a: b}}}\n", "another default of spec.updateStrategy.type"},
		"what a daemon set has no more": {"apiVersion: extensions/v1beta1\nkind: DaemonSet\nmetadata: {name: a}\n" +
			"spec: {selector: {matchLabels: {a: b}}, updateStrategy: {type: OnDelete}, templateGeneration: 3}\n", "templateGeneration"},
		"how many pods roll": {"apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\nspec: {selector: " +
			"{matchLabels: {a: b}}, strategy: {type: RollingUpdate}, revisionHistoryLimit: 3, progressDeadlineSeconds: 60}\n",
			"spec.strategy.rollingUpdate.maxSurge"},
		"how much is remembered": {"apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: b}}, " +
			"strategy: {type: RollingUpdate}}\n", "spec.revisionHistoryLimit"},
		"no labels": {"apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec: {selector: {matchLabels: {}}}\n",
			"all pods after"},
		"no shares": {"apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: PriorityLevelConfiguration\nmetadata: {name: a}\n" +
			"spec: {limited: {nominalConcurrencyShares: 0}}\n", "0 means 30 before"},
		"no shares by their former name": {"apiVersion: flowcontrol.apiserver.k8s.io/v1beta2\nkind: PriorityLevelConfiguration\n" +
			"metadata: {name: a}\nspec: {limited: {assuredConcurrencyShares: 0x0}}\n", "0 means 30 before"},
		"no shares by an annotation": {"apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: PriorityLevelConfiguration\n" +
			"metadata: {name: a, annotations: {flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares: ''}}\nspec: {limited: {}}\n",
			"its annotation"},
		"an anchor": {"apiVersion: &v policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a, labels: {v: *v}}\n",
			"not changed by itself"},
		"an escape": {"apiVersion: \"\\x70olicy/v1beta1\"\nkind: PodDisruptionBudget\nmetadata: {name: a}\n", "not changed by itself"},
		"a webhook": {"apiVersion: admissionregistration.k8s.io/v1beta1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: a}\n" +
			"webhooks: [{name: a, sideEffects: None, admissionReviewVersions: [v1], matchPolicy: Exact, timeoutSeconds: 5}]\n", "failurePolicy"},
		"items that say nothing": {"apiVersion: flowcontrol.apiserver.k8s.io/v1beta2\nkind: PriorityLevelConfigurationList\n" +
			"items: [{metadata: {name: a}, spec: {limited: {assuredConcurrencyShares: 5}}}]\n", ""},
	} {
		got, told := fixed(t, c.text)
		if got != c.text {
			t.Errorf("%s: it is changed to\n%s", name, got)
		}
		if c.why != "" && (len(told) != 1 || !strings.Contains(told[0].Left, c.why)) {
			t.Errorf("%s: %+v", name, told)
		}
	}
	if got, told := fixed(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"); len(told) != 0 {
		t.Errorf("%s %+v", got, told)
	}
}

// What has the same default before and after is no reason to leave an object alone.
func TestFixTakesSameDefaults(t *testing.T) {
	for _, text := range []string{
		"apiVersion: apps/v1beta2\nkind: DaemonSet\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: b}}}\n",
		"apiVersion: apps/v1beta2\nkind: StatefulSet\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: b}}}\n",
		"apiVersion: apps/v1beta2\nkind: Deployment\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: b}}}\n",
		"apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: b}}, " +
			"strategy: {type: Recreate}, revisionHistoryLimit: 3, progressDeadlineSeconds: 60}\n",
		"apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: PriorityLevelConfiguration\nmetadata: {name: a}\nspec: {limited: {}}\n",
	} {
		if got, told := fixed(t, text); got == text || len(told) != 1 || told[0].Left != "" {
			t.Errorf("it is left alone: %+v\n%s", told, text)
		}
	}
}

// TestFixedObjectsAreOfTheNewAPI: Kubernetes' own strict decoder takes each kind that is changed, with fields that old and new have.
func TestFixedObjectsAreOfTheNewAPI(t *testing.T) {
	strict := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	pods := "spec:\n  selector: {matchLabels: {app: web}}\n  %s: {type: RollingUpdate}\n  revisionHistoryLimit: 3\n" +
		"  template:\n    metadata: {labels: {app: web}}\n" +
		"    spec: {containers: [{name: web, image: 'web:1'}]}\n"
	bodies := map[string]string{
		"CronJob": "spec:\n  schedule: '* * * * *'\n  concurrencyPolicy: Forbid\n" +
			"  jobTemplate: {spec: {template: {spec: {restartPolicy: Never}}}}\n",
		"PodDisruptionBudget": "spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}\n",
		"IngressClass":        "spec: {controller: x/y}\n", "IPAddress": "spec: {parentRef: {resource: services, name: a, namespace: b}}\n",
		"ServiceCIDR": "spec: {cidrs: [10.0.0.0/16]}\n", "NetworkPolicy": "spec: {podSelector: {}, policyTypes: [Ingress]}\n",
		"ClusterRole":   "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]\naggregationRule: {clusterRoleSelectors: []}\n",
		"RoleBinding":   "roleRef: {apiGroup: g, kind: Role, name: r}\nsubjects: [{kind: User, name: u, apiGroup: g}]\n",
		"PriorityClass": "value: 1\nglobalDefault: false\npreemptionPolicy: Never\n", "StorageClass": "provisioner: p\nreclaimPolicy: Retain\n",
		"CSIDriver": "spec: {attachRequired: true, storageCapacity: true}\n", "CSINode": "spec: {drivers: []}\n",
		"CSIStorageCapacity": "storageClassName: s\ncapacity: 1Gi\n", "VolumeAttributesClass": "driverName: d\nparameters: {a: b}\n",
		"VolumeAttachment": "spec: {attacher: a, nodeName: node-1, source: {persistentVolumeName: p}}\n", "Lease": "spec: {holderIdentity: h}\n",
		"RuntimeClass":              "handler: h\nscheduling: {nodeSelector: {a: b}}\noverhead: {podFixed: {cpu: 1m}}\n",
		"ValidatingAdmissionPolicy": "spec: {validations: [{expression: 'true'}], matchConstraints: {resourceRules: []}}\n",
		"ValidatingWebhookConfiguration": "webhooks: [{name: a, sideEffects: None, admissionReviewVersions: [v1], matchPolicy: Exact, " +
			"timeoutSeconds: 5, failurePolicy: Ignore, clientConfig: {url: 'https://a'}}]\n",
		"HorizontalPodAutoscaler":    "spec: {maxReplicas: 2, scaleTargetRef: {kind: Deployment, name: a, apiVersion: apps/v1}}\n",
		"FlowSchema":                 "spec: {matchingPrecedence: 5, priorityLevelConfiguration: {name: a}, rules: [{subjects: []}]}\n",
		"PriorityLevelConfiguration": "spec: {type: Limited, limited: {limitResponse: {type: Reject}}}\n",
		"EndpointSlice": "addressType: IPv4\nports: [{port: 80}]\n" +
			"endpoints: [{addresses: [10.0.0.1], zone: a, conditions: {ready: true}}]\n",
		"Deployment": strings.ReplaceAll(pods, "%s", "strategy"), "DaemonSet": strings.ReplaceAll(pods, "%s", "updateStrategy"),
		"StatefulSet": strings.ReplaceAll(pods, "%s", "updateStrategy"),
	}
	tried := 0
	for _, a := range APIs() {
		body, known := bodies[a.Kind]
		if !known || minor(a.Removed).MinorsAhead(lifecycle.Version{Major: 1, Minor: 37}) > 0 {
			continue
		}
		text := "apiVersion: " + a.GroupVersion() + "\nkind: " + a.Kind + "\nmetadata: {name: a}\n" + body
		got, told := fixed(t, text)
		if got == text {
			if len(told) != 1 || told[0].Left == "" {
				t.Errorf("%s is not changed, and nobody is told: %+v", a, told)
			}
			continue
		}
		tried++
		o, gvk, err := strict.Decode([]byte(got), nil, nil)
		if err != nil || gvk.GroupVersion().String() != told[0].To || o == nil {
			t.Errorf("%s: %v\n%s", a, err, got)
		}
	}
	if tried < 30 {
		t.Errorf("only %d kinds were changed", tried)
	}
}
