package twin

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Annotations by which the lab's simulated pods behave as the site's do.
const (
	labServe      = "lab.kiban.dev/serve"
	labReadyAfter = "lab.kiban.dev/ready-after"
	labWebhook    = "lab.kiban.dev/webhook"
	labProvision  = "lab.kiban.dev/provisioner"
)

// readyWithin is the longest that a pod of the twin takes to be ready.
const readyWithin = 5 * time.Minute

// Tamed are the objects that a twin gets of a site, in the order in which they are made.
type Tamed struct {
	Objects []Object
	// Ready is how many pods run at the site, and are to in the twin.
	Ready int
	// Slowest is how long the slowest of them takes to be ready.
	Slowest time.Duration
	// Differences are what the objects lost.
	Differences []lifecycle.TwinDifference
}

// Tame decides which objects of a site its twin gets, and takes from them what could do harm or what only the site has: nothing runs by
// the clock, nothing is called outside, nothing is owned by what is not there.
func Tame(s Snapshot) Tamed {
	t := &taming{lost: map[string]int{}, services: map[string][]Object{}, elsewhere: map[string]bool{},
		webhooks: map[string][]string{}, ready: map[string]time.Duration{}, owners: map[string]Object{}, ending: endingOf(s.Objects),
		machines: map[string]bool{}}
	for _, m := range s.Machines {
		t.machines[m.Name] = true
	}
	for _, o := range s.Objects {
		if !t.ending.has(o) {
			t.learn(o)
		}
	}
	for _, o := range s.Objects {
		if kept := t.tame(o); kept != nil {
			t.out = append(t.out, kept)
		}
	}
	t.standIns()
	slices.SortStableFunc(t.out, func(a, b Object) int { return cmp.Compare(turnOf(a), turnOf(b)) })
	tamed := Tamed{Objects: t.out, Ready: t.pods, Differences: t.differences(s)}
	for _, took := range t.ready {
		tamed.Slowest = max(tamed.Slowest, took)
	}
	return tamed
}

type taming struct {
	out []Object
	// lost counts what was left out or changed, by a word of the table in differences.
	lost map[string]int
	// services are those with a selector, by namespace; elsewhere are those without, whose endpoints somebody else writes. webhooks are
	// the names of configurations by the Service behind them.
	services  map[string][]Object
	elsewhere map[string]bool
	webhooks  map[string][]string
	// ready is how long pods took to be ready, the shortest by owner; pods are those that are ready.
	ready map[string]time.Duration
	pods  int
	// owners are pods' controllers that the twin does not have, each with one of its pods.
	owners map[string]Object
	stands map[string]int
	ending endingNamespaces
	// machines are those of the twin.
	machines map[string]bool
}

// learn reads what other objects are tamed by.
func (t *taming) learn(o Object) {
	switch o.kind() {
	case "Service":
		if len(o.strings("spec.selector")) > 0 {
			t.services[o.namespace()] = append(t.services[o.namespace()], o)
		} else {
			t.elsewhere[o.namespace()+"/"+o.name()] = true
		}
	case "Pod":
		if took := readyAfter(o); took > 0 {
			owner := podOwner(o)
			if old, ok := t.ready[owner]; !ok || took < old {
				t.ready[owner] = took
			}
		}
	case "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration":
		hooks, _ := o["webhooks"].([]any)
		for _, h := range hooks {
			if hook, ok := h.(map[string]any); ok {
				if name := text(hook, "clientConfig", "service", "name"); name != "" {
					service := text(hook, "clientConfig", "service", "namespace") + "/" + name
					if !slices.Contains(t.webhooks[service], o.name()) {
						t.webhooks[service] = append(t.webhooks[service], o.name())
					}
				}
			}
		}
	}
}

// podOwner names what a pod is of: its controller, without the part of a ReplicaSet's name that each change of the template renews.
func podOwner(pod Object) string {
	name := pod.name()
	if owner := pod.owner(); owner != nil {
		name = text(owner, "kind") + " " + text(owner, "name")
	}
	return pod.namespace() + "/" + name
}

// readyAfter is how long a pod took from the start of its containers until it was ready; 0 where that is not known, or not worth a word.
func readyAfter(pod Object) time.Duration {
	var since, started time.Time
	conditions, _ := lookupPath(pod, "status.conditions").([]any)
	for _, c := range conditions {
		if m, ok := c.(map[string]any); ok && text(m, "type") == "Ready" && text(m, "status") == "True" {
			since, _ = time.Parse(time.RFC3339, text(m, "lastTransitionTime"))
		}
	}
	containers, _ := lookupPath(pod, "status.containerStatuses").([]any)
	for _, c := range containers {
		m, _ := c.(map[string]any)
		if at, err := time.Parse(time.RFC3339, text(m, "state", "running", "startedAt")); err == nil && at.After(started) {
			started = at
		}
	}
	if since.IsZero() || started.IsZero() || since.Sub(started) < 2*time.Second {
		return 0
	}
	return min(since.Sub(started), readyWithin)
}

// tame is the object as the twin gets it; nil leaves it out.
func (t *taming) tame(o Object) Object {
	if leftOut(o) {
		return nil
	}
	if t.ending.has(o) {
		t.ending[o.namespace()]++
		return nil
	}
	spec, _ := o["spec"].(map[string]any)
	switch o.kind() {
	case "Secret":
		if kind := text(o, "type"); kind != "" && kind != "Opaque" && !strings.HasPrefix(kind, "kubernetes.io/") {
			if kind == "helm.sh/release.v1" {
				t.lost["releases"]++
			}
			return nil
		}
		if text(o, "type") == "kubernetes.io/service-account-token" {
			return nil
		}
		t.lost["secrets"]++
	case "CronJob":
		spec["suspend"] = true
		t.lost["cronjobs"]++
	case "Job":
		if lookupPath(o, "status.completionTime") == nil {
			t.lost["jobs"]++
		}
		return nil
	case "APIService":
		if spec["service"] != nil {
			t.lost["apiservices"]++
		}
		return nil
	case "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration":
		return t.webhook(o)
	case "CustomResourceDefinition":
		if conversion := lookup(spec, "conversion"); text(conversion, "strategy") == "Webhook" {
			spec["conversion"] = map[string]any{"strategy": "None"}
			t.lost["conversions"]++
		}
	case "StorageClass":
		o["provisioner"] = labProvision
		delete(o, "parameters")
	case "PersistentVolume":
		if ref := lookup(spec, "claimRef"); ref != nil {
			delete(ref, "uid")
			delete(ref, "resourceVersion")
		}
	case "Service":
		t.service(o, spec)
	case "Pod":
		return t.pod(o, spec)
	case "StatefulSet":
		spec["updateStrategy"] = map[string]any{"type": "OnDelete"} // its pods are the site's, whatever their revision was called
		t.template(o, spec)
	case "Deployment", "ReplicaSet", "DaemonSet", "ReplicationController":
		if o.kind() == "ReplicaSet" && fmt.Sprint(spec["replicas"]) == "0" {
			return nil // a former one
		}
		t.template(o, spec)
	}
	if o.owner() != nil && o.kind() != "ReplicaSet" && o.kind() != "ControllerRevision" {
		t.lost["owned"]++
	}
	return plain(o)
}

// leftOut are objects that the twin has of its own, or that nothing there would look after.
func leftOut(o Object) bool {
	switch o.kind() {
	case "Node", "Endpoints", "EndpointSlice", "Lease", "Event", "ControllerRevision", "CSINode", "VolumeAttachment", "CSIStorageCapacity",
		"CertificateSigningRequest", "PodMetrics", "NodeMetrics", "FlowSchema", "PriorityLevelConfiguration", "IPAddress", "ServiceCIDR",
		"ResourceSlice", "PodTemplate":
		return true
	case "Namespace":
		return o.ending()
	case "ConfigMap":
		if o.name() == "kube-root-ca.crt" {
			return true
		}
	case "CustomResourceDefinition":
		return strings.HasSuffix(o.name(), ".k0sproject.io")
	}
	return ofLab(o) || strings.HasSuffix(o.group(), "k0sproject.io") || o.namespace() == "kube-system" &&
		strings.HasPrefix(o.name(), "kiban-") ||
		o.namespace() == "kube-node-lease"
}

// ofLab reports whether the lab's own k0s brings the same: CoreDNS and the metrics server.
func ofLab(o Object) bool {
	app := o.strings("metadata.labels")["k8s-app"]
	if o.kind() == "Deployment" {
		app = o.name()
	}
	return o.namespace() == "kube-system" && slices.Contains([]string{"kube-dns", "coredns", "metrics-server"}, app) &&
		slices.Contains([]string{"Deployment", "ReplicaSet", "Pod"}, o.kind())
}

// plain takes from an object what the API writes, and what ties it to objects that have other ids here.
func plain(o Object) Object {
	delete(o, "status")
	meta := within(o, "metadata")
	for _, field := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink",
		"ownerReferences",
		"deletionTimestamp", "deletionGracePeriodSeconds"} {
		delete(meta, field)
	}
	if o.kind() != "Pod" {
		delete(meta, "finalizers")
	}
	return o
}

// webhook keeps those of a configuration that ask a Service of the cluster. One whose Service is gone, or has no pods, is silent in the
// twin as it is at the site.
func (t *taming) webhook(o Object) Object {
	hooks, _ := o["webhooks"].([]any)
	var kept []any
	for _, h := range hooks {
		hook, _ := h.(map[string]any)
		config := lookup(hook, "clientConfig")
		service := text(config, "service", "namespace") + "/" + text(config, "service", "name")
		if service == "/" || t.elsewhere[service] {
			t.lost["webhooks"]++
			continue
		}
		delete(config, "caBundle")
		kept = append(kept, hook)
	}
	if len(kept) == 0 {
		return nil
	}
	o["webhooks"] = kept
	t.lost["allowing"]++
	return plain(o)
}

func (t *taming) service(o Object, spec map[string]any) {
	if spec["clusterIP"] != "None" {
		delete(spec, "clusterIP")
	}
	for _, field := range []string{"clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort", "externalIPs", "loadBalancerIP"} {
		delete(spec, field)
	}
	ports, _ := spec["ports"].([]any)
	for _, p := range ports {
		if port, ok := p.(map[string]any); ok {
			delete(port, "nodePort")
		}
	}
	if spec["type"] == "LoadBalancer" {
		t.lost["balancers"]++
	}
}

// pod is one that runs, bound to the node that it runs on; its controller adopts it by its labels.
func (t *taming) pod(o Object, spec map[string]any) Object {
	owner := o.owner()
	phase := text(o, "status", "phase")
	switch {
	case phase != "Running" || spec["nodeName"] == nil || lookupPath(o, "metadata.annotations."+"kubernetes.io/config.mirror") != nil ||
		o.strings("metadata.annotations")["kubernetes.io/config.mirror"] != "":
		return nil
	case o.ending():
		t.lost["ending"]++
		return nil
	case len(t.machines) > 0 && !t.machines[text(spec, "nodeName")]: // nobody would ever run it
		t.lost["absent"]++
		return nil
	case text(owner, "kind") == "DaemonSet": // makes the same ones
		t.pods++
		return nil
	case text(owner, "kind") == "Job":
		return nil
	}
	t.pods++
	t.behave(o, o.namespace(), o.strings("metadata.labels"), spec, t.ready[podOwner(o)])
	for _, field := range []string{"priority", "preemptionPolicy", "ephemeralContainers"} {
		delete(spec, field)
	}
	meta := within(o, "metadata")
	if list, _ := meta["finalizers"].([]any); len(list) > 0 {
		kept := slices.DeleteFunc(list, func(f any) bool { return f == "batch.kubernetes.io/job-tracking" })
		if meta["finalizers"] = kept; len(kept) == 0 {
			delete(meta, "finalizers")
		} else {
			t.lost["finalizers"]++
		}
	}
	if owner != nil && !slices.Contains([]string{"ReplicaSet", "StatefulSet", "ReplicationController"}, text(owner, "kind")) {
		t.foreign(o, owner)
	}
	return plain(o)
}

// foreign notes a pod whose controller nothing plays in the twin: a ReplicaSet stands in for it, so that a drain takes it and it comes
// back.
func (t *taming) foreign(pod Object, owner map[string]any) {
	name := strings.ToLower(text(owner, "kind") + "-" + text(owner, "name"))
	key := pod.namespace() + "/" + name
	within(within(pod, "metadata"), "labels")["lab.kiban.dev/stands-for"] = shortLabel(name)
	if t.stands == nil {
		t.stands = map[string]int{}
	}
	t.stands[key]++
	t.owners[key] = pod
}

func shortLabel(name string) string { return strings.Trim(name[:min(len(name), 60)], "-.") }

// standIns makes a ReplicaSet for each controller that nothing plays.
func (t *taming) standIns() {
	for _, key := range slices.Sorted(maps.Keys(t.owners)) {
		pod := t.owners[key]
		name := pod.strings("metadata.labels")["lab.kiban.dev/stands-for"]
		spec := maps.Clone(lookup(pod, "spec"))
		for _, field := range []string{"nodeName", "hostname", "subdomain"} {
			delete(spec, field)
		}
		labels := lookupPath(pod, "metadata.labels")
		t.out = append(t.out, Object{"apiVersion": "apps/v1", "kind": "ReplicaSet",
			"metadata": map[string]any{"namespace": pod.namespace(), "name": name},
			"spec": map[string]any{"replicas": t.stands[key],
				"selector": map[string]any{"matchLabels": map[string]any{"lab.kiban.dev/stands-for": name}},
				"template": map[string]any{"metadata": map[string]any{"labels": labels, "annotations": lookupPath(pod, "metadata.annotations")},
					"spec": spec}}})
		t.lost["standins"]++
	}
}

// template has the pods that a controller makes behave as those of the site.
func (t *taming) template(o Object, spec map[string]any) {
	template := within(spec, "template")
	owner := o.namespace() + "/" + o.kind() + " " + o.name()
	took := t.ready[owner]
	if o.kind() == "Deployment" { // its pods are of its ReplicaSets
		for name, d := range t.ready {
			if prefix := o.namespace() + "/ReplicaSet " + o.name() + "-"; strings.HasPrefix(name, prefix) &&
				!strings.Contains(name[len(prefix):], "-") {
				took = d
			}
		}
	}
	t.behave(template, o.namespace(), Object(template).strings("metadata.labels"), lookup(template, "spec"), took)
}

// behave annotates a pod, or a template of pods, for the lab.
func (t *taming) behave(pod map[string]any, namespace string, labels map[string]string, spec map[string]any, ready time.Duration) {
	var hooks []string
	serves := false
	for _, s := range t.services[namespace] {
		if !selects(s.strings("spec.selector"), labels) {
			continue
		}
		serves = true
		hooks = append(hooks, t.webhooks[namespace+"/"+s.name()]...)
	}
	if serves && spec["hostNetwork"] != true {
		annotate(pod, labServe, "true")
	}
	if len(hooks) > 0 {
		slices.Sort(hooks)
		annotate(pod, labWebhook, strings.Join(slices.Compact(hooks), ","))
	}
	if ready > 0 {
		annotate(pod, labReadyAfter, ready.String())
	}
}

func selects(selector, labels map[string]string) bool {
	for name, value := range selector {
		if labels[name] != value {
			return false
		}
	}
	return len(selector) > 0
}

// turnOf is when an object's turn to be made comes: what others rest on first, what could refuse others last.
func turnOf(o Object) int {
	for i, kinds := range [][]string{
		{"Namespace"}, {"CustomResourceDefinition"}, {"PriorityClass", "StorageClass", "RuntimeClass", "IngressClass", "CSIDriver"},
		{"PersistentVolume"}, {"PersistentVolumeClaim"},
		{"ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret"},
		{"Service", "PodDisruptionBudget"}, {"Pod"}, {"ReplicaSet", "ReplicationController"}, {"Deployment", "StatefulSet", "DaemonSet"},
		{"CronJob", "HorizontalPodAutoscaler", "Ingress", "NetworkPolicy"},
	} {
		if slices.Contains(kinds, o.kind()) {
			return i
		}
	}
	switch o.kind() {
	case "ResourceQuota", "LimitRange":
		return 90
	case "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding":
		return 100
	}
	return 50 // custom resources, and whatever else there is
}

// differences tells what the twin's objects do not have.
func (t *taming) differences(s Snapshot) []lifecycle.TwinDifference {
	var out []lifecycle.TwinDifference
	for _, d := range []struct{ of, what, consequence string }{
		{"secrets", "Secrets have no values", "What reads them, and whether it would start with them, is not rehearsed."},
		{"cronjobs", "CronJobs are suspended", "Jobs that begin during the upgrade are not rehearsed."},
		{"jobs", "Jobs that run are left out", "At the site a drain ends their pods, and they begin anew elsewhere."},
		{"apiservices", "APIs of other servers are not served", "What asks for them is not rehearsed."},
		{"webhooks", "Webhooks that answer from outside of the cluster are left out",
			"At the site they must answer, or what they guard is refused."},
		{"allowing", "Webhooks allow everything",
			"That they are away while their pods move, or because their Service is gone, is rehearsed; what they refuse is not."},
		{"conversions", "Definitions convert nothing", "Conversion webhooks are not rehearsed."},
		{"balancers", "Services of type LoadBalancer have no address of the site", "How traffic comes in from outside is not rehearsed."},
		{"releases", "Records of Helm's releases are left out", "Releases are as their objects are."},
		{"ending", "Pods that were ending are left out", "At the site a drain may wait for them."},
		{"absent", "Pods of nodes that are not in the twin are left out", "What makes them anew does so on other nodes, if they have room."},
		{"finalizers", "Pods keep their finalizers, and nothing takes them off", "If something at the site does, a drain ends there."},
		{"standins", "Controllers of pods that are not Kubernetes' own are played by ReplicaSets",
			"Pods come back, but not as their operators make them."},
		{"owned", "Objects that belong to others belong to nobody", "What goes with its owner stays."},
	} {
		if n := t.lost[d.of]; n > 0 {
			out = append(out, lifecycle.TwinDifference{What: fmt.Sprintf("%s (%d)", d.what, n), Consequence: d.consequence})
		}
	}
	out = append(out, t.ending.differences()...)
	if len(s.Unread) > 0 {
		out = append(out, lifecycle.TwinDifference{What: "What could not be read of the site is not there: " + lifecycle.Few(s.Unread),
			Consequence: "Nothing is known of it."})
	}
	return out
}

// Simulated are the differences between every twin and its site.
func Simulated() []lifecycle.TwinDifference {
	return []lifecycle.TwinDifference{
		{What: "Containers do not run: pods are ready after the time that they took at the site, and answer requests while they live",
			Consequence: "Whether the programs in them bear the new version is not rehearsed."},
		{What: "There is no CNI, no kube-proxy and no storage", Consequence: "Networks between pods and volumes that move are not rehearsed."},
		{What: "No image is pulled and no disk fills up",
			Consequence: "That is in the expected time only as far as the site's own records have it."},
		{What: "Kubernetes is one release that poses as the others",
			Consequence: "Faults of single releases do not show: kiban ready names those that are known."},
	}
}
