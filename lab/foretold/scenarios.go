package main

import (
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lab/fleet"
)

const (
	v135 = "v1.35.7+k0s.0"
	v136 = "v1.36.3+k0s.2"
	v137 = "v1.37.2+k0s.0"
)

// scenario is a site, what runs on it, and what is to be done.
type scenario struct {
	name                 string
	controllers, workers int
	// width and canaries are the rollout's; domain is its failure domain.
	width    string
	canaries int
	domain   string
	// ahead is how many workers go before those that are taken out by width: the canaries, and who is left of their domain. 0: the canaries.
	ahead int
	// drain is how long a node may take to be drained.
	drain string
	// workload is what runs, and kubectl what is done to it then; settles is how long that takes to be well.
	workload string
	kubectl  [][]string
	settles  time.Duration
	// later comes in when all that is well: what refuses others.
	later string
	// documents are further files of the overlay, by name.
	documents map[string]string
	// begun is the step at which a run before was killed.
	begun string
	// to and path are the versions; the site has 1.35.
	to   string
	path []string
	// slow is how long a node may take to be well.
	slow string
	// faults are injected in both.
	faults []string
}

func (s scenario) site(net string) fleet.Site {
	return fleet.Site{Name: "lab", Net: net, Controllers: s.controllers, Workers: s.workers, Version: v135, User: "root", Canaries: s.canaries,
		MaxUnavailable: s.width, DrainTimeout: s.drain, NodeTimeout: s.slow, FailureDomain: s.domain, Documents: s.documents}
}

// refused is an admission policy that takes no new pod of web.
const refused = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: closed}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
  validations:
  - message: closed
    expression: "!has(object.metadata.labels) || !('app' in object.metadata.labels) || object.metadata.labels['app'] != 'web'"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: closed}
spec: {policyName: closed, validationActions: [Deny]}
`

// silent is a webhook that must agree to new pods, and whose Service is gone.
const silent = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: guard}
webhooks:
- name: guard.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {service: {namespace: default, name: guard}}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}
  rules:
  - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
`

// addon is an addon of one Deployment whose pods take long to be ready, and which no budget guards.
const addon = `apiVersion: kiban.dev/v1alpha1
kind: Addon
metadata: {name: slow}
spec: {namespace: slow, manifests: [slow.yml]}
`

// addonObjects is what it applies: a file beside the overlay's documents that is no document of it.
func addonObjects() string {
	objects := slow(web("slow", 2, "", ""), "ready-after", "12s")
	return strings.Replace(objects, "metadata: {name: slow}", "metadata: {name: slow, namespace: slow}", 2)
}

// web is a Deployment that answers, with its Service and its budget; "" for none.
func web(name string, replicas int, budget, pod string) string {
	text := fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  replicas: %[2]d
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata:
      labels: {app: %[1]s}
      annotations: {lab.kiban.dev/serve: "true"}
    spec:
      terminationGracePeriodSeconds: 10
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: %[1]s}}}
%[3]s      containers:
      - {name: a, image: "registry.example/web:1", ports: [{containerPort: %[4]d}]}
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec: {selector: {app: %[1]s}, ports: [{port: 80, targetPort: %[4]d}]}
---
`, name, replicas, pod, 18080+len(name))
	if budget != "" {
		text += fmt.Sprintf(`apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: %[1]s}
spec: {%[2]s, selector: {matchLabels: {app: %[1]s}}}
---
`, name, budget)
	}
	return text
}

// slow has the pods of a workload take so long to be ready, or to end.
func slow(workload, annotation, value string) string {
	return strings.Replace(workload, `lab.kiban.dev/serve: "true"`, `lab.kiban.dev/serve: "true", lab.kiban.dev/`+annotation+`: "`+value+`"`, 1)
}

// scenarios are what the table of docs/rehearse.md has.
func scenarios() []scenario {
	small := func(name string, edit func(*scenario)) scenario {
		s := scenario{name: name, controllers: 1, workers: 3, width: "1", canaries: 1, drain: "30s", to: v136, settles: 4 * time.Second,
			workload: web("web", 3, "minAvailable: 2", "")}
		edit(&s)
		return s
	}
	return []scenario{
		small("a budget with room", func(*scenario) {}),
		small("an impossible budget", func(s *scenario) { s.workload = web("web", 3, "minAvailable: 3", "") }),
		small("a budget that is tight, pods slow to be ready", func(s *scenario) {
			s.workload = slow(web("web", 3, "maxUnavailable: 1", ""), "ready-after", "8s")
			s.settles = 14 * time.Second
		}),
		small("no budget, one pod", func(s *scenario) { s.workload = web("web", 1, "", "") }),
		small("two at once", func(s *scenario) { s.width, s.workers = "2", 4 }),
		small("three canaries", func(s *scenario) { s.canaries, s.width = 3, "3" }),
		small("no canary, all at once", func(s *scenario) { s.canaries, s.width, s.workload = 0, "3", web("web", 6, "maxUnavailable: 1", "") }),
		small("uneven drains", func(s *scenario) {
			s.workload = slow(web("web", 2, "maxUnavailable: 1", "      nodeSelector: {kubernetes.io/hostname: worker-2}\n"),
				"terminate-after", "7s") +
				web("other", 3, "", "")
		}),
		small("a pod that fits nowhere else", func(s *scenario) {
			s.workload = web("web", 3, "maxUnavailable: 0", "      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "+
				"[{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}]}}\n")
		}),
		small("pods kept apart, with room for one away", func(s *scenario) {
			s.workload = web("web", 3, "maxUnavailable: 1", "      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "+
				"[{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}]}}\n")
		}),
		small("a stuck finalizer", func(s *scenario) {
			const template = "      annotations: {"
			s.workload = strings.Replace(s.workload, template, "      finalizers: [example.com/hold]\n"+template, 1)
		}),
		small("a pod without an owner", func(s *scenario) {
			s.workload += "apiVersion: v1\nkind: Pod\nmetadata: {name: alone}\nspec: {containers: [{name: a, image: registry.example/x}]}\n"
		}),
		small("three controllers", func(s *scenario) { s.controllers, s.workers = 3, 2 }),
		small("two hops", func(s *scenario) { s.workers, s.to, s.path = 2, v137, []string{v136} }),
		small("a worker whose new k0s fails", func(s *scenario) { s.faults = []string{"worker-2=never-ready@upgrade"} }),
		// Not while its pods are being evicted: whether they still get requests then is a matter of milliseconds.
		small("a machine that is lost", func(s *scenario) { s.faults = []string{"worker-2=off@upgrade"} }),
		small("a machine that is lost while it serves", func(s *scenario) { s.faults = []string{"worker-3=off@worker-2/upgrade"} }),
		small("a machine that hangs", func(s *scenario) { s.faults = []string{"worker-2=ssh-hang@drain"} }), // before its upgrade says a word
		small("kiban killed in a drain", func(s *scenario) { s.faults = []string{"kiban=kill@worker-2/drain"} }),
		small("kiban killed at a controller", func(s *scenario) { s.faults = []string{"kiban=kill@controller-1/upgrade"} }),
		small("a disk that is full", func(s *scenario) { s.faults = []string{"worker-1=disk-full@stage"} }),
		small("a node that an administrator closed", func(s *scenario) { s.kubectl = [][]string{{"cordon", "worker-2"}} }),
		small("a daemon set beside", func(s *scenario) {
			s.workload += `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: a, image: registry.example/agent}]}}
`
		}),
		small("a stateful set", func(s *scenario) {
			s.workload += `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 3
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: a, image: registry.example/db}]}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: db}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: db}}}
`
			s.settles = 8 * time.Second
		}),
		small("two budgets over one pod", func(s *scenario) {
			s.workload += "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: second}\n" +
				"spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}\n"
		}),
		small("a webhook whose Service is gone", func(s *scenario) { s.later = silent }),
		small("a policy that refuses pods", func(s *scenario) { s.later = refused }),
		small("an addon that must be well first", func(s *scenario) {
			s.documents = map[string]string{"slow-addon.yaml": addon}
			s.settles = 16 * time.Second
		}),
		small("a run that was cut off, carried on", func(s *scenario) { s.begun = "worker-2/drain" }),
		small("zones, one at a time", func(s *scenario) {
			s.workers, s.width, s.domain, s.ahead = 4, "2", "zone", 2
			s.kubectl = [][]string{{"label", "nodes", "worker-1", "worker-3", "zone=a"}, {"label", "nodes", "worker-2", "worker-4", "zone=b"}}
		}),
	}
}
