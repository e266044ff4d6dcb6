package readiness

import (
	"time"

	"kiban.dev/kiban/lifecycle"
)

// plants are the troubles, those of one witness or rule together.
func plants() []plant {
	const day = 24 * time.Hour
	byHand, byKubelet := lifecycle.RenewedByHand, lifecycle.RenewedByKubelet
	return []plant{
		// Removed APIs: asked for, told by an audit log, stored, declared.
		{"an API server counts requests", func(in *Input) { in.asked("networking.k8s.io", "v1beta1", "servicecidrs", time.Hour) },
			"removed-api", "servicecidrs", "v1.37 no longer serves"},
		{"requests of weeks ago", func(in *Input) { in.asked("networking.k8s.io", "v1beta1", "ipaddresses", 30*day) },
			"removed-api", "ipaddresses", "whether it still is, is not known"},
		{"an audit log names who asks", func(in *Input) {
			in.called("storage.k8s.io", "v1beta1", "volumeattributesclasses", "system:serviceaccount:shop:operator")
		}, "removed-api", "volumeattributesclasses", "operator/2.1"},
		{"an API of two minors later is asked for", func(in *Input) { in.asked("resource.k8s.io", "v1beta1", "resourceclaims", time.Hour) },
			"deprecated-api", "resourceclaims", "v1.38"},
		{"an operator writes by it", func(in *Input) { in.wrote("networking.k8s.io/v1beta1", "ServiceCIDR", "pods-2", "net-operator", day) },
			"removed-api", "pods-2", "net-operator"},
		{"somebody wrote by it last year", func(in *Input) {
			in.wrote("certificates.k8s.io/v1alpha1", "ClusterTrustBundle", "old", "kubectl-edit", 300*day)
		}, "removed-api", "old", "whether it still does"},
		{"a Helm release has it in its manifest", func(in *Input) { in.release("shop", "web", "networking.k8s.io/v1beta1", "IPAddress") },
			"removed-api", "Helm release shop/web", "helm mapkubeapis"},
		{"a Helm release that can't be upgraded already", func(in *Input) {
			in.release("infra", "limits", "flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema")
		}, "removed-api", "Helm release infra/limits", "since v1.32 already"},
		{"the overlay declares it", func(in *Input) { in.declares("networking.k8s.io/v1beta1", "ServiceCIDR", "extra") },
			"removed-api", "extra", "overlays/site/objects.yaml:7"},
		{"the overlay declares what ends later", func(in *Input) { in.declares("resource.k8s.io/v1beta1", "DeviceClass", "gpu") },
			"deprecated-api", "gpu", "resource.k8s.io"},

		// Settings that are gone.
		{"a kubelet's flag", func(in *Input) { in.argument("w1", "--kubelet-extra-args=--containerd-namespace=k8s.io") },
			"setting", "", "--containerd-namespace"},
		{"a feature gate that went", func(in *Input) {
			in.configure(parts{"api": `{"extraArgs":{"feature-gates":"SidecarContainers=true"}}`})
		}, "setting", "", "SidecarContainers"},
		{"a feature gate of the scheduler that went", func(in *Input) {
			in.configure(parts{"scheduler": `{"extraArgs":{"feature-gates":"SidecarContainers=true"}}`})
		}, "setting", "", "kube-scheduler"},
		{"an admission plugin that went", func(in *Input) {
			in.configure(parts{"api": `{"extraArgs":{"disable-admission-plugins":"PodSecurityPolicy"}}`})
		}, "setting", "", "PodSecurityPolicy"},
		{"a flag of the API server that went", func(in *Input) {
			in.configure(parts{"api": `{"extraArgs":{"cloud-config":"/etc/c"}}`})
		}, "setting", "", "--cloud-config"},
		{"a flag of the controller manager that went", func(in *Input) {
			in.configure(parts{"controllerManager": `{"extraArgs":{"volume-host-cidr-denylist":"10.0.0.0/8"}}`})
		}, "setting", "", "volume-host-cidr-denylist"},
		{"a feature gate that goes soon", func(in *Input) {
			in.configure(parts{"featureGates": `[{"name":"UserNamespacesSupport","enabled":true,"components":["kubelet"]}]`})
		}, "setting", "", "UserNamespacesSupport"},

		// Certificates that an upgrade does not renew.
		{"an authority has ended", func(in *Input) { in.ends("c1", "etcd/ca", byHand, -1) }, "certificate", "c1", "etcd/ca ended"},
		{"an authority ends soon", func(in *Input) { in.ends("c1", "front-proxy-ca", byHand, 12) }, "certificate", "c1", "in 12 days"},
		{"a kubelet's was not renewed", func(in *Input) { in.ends("w1", "kubelet-client", byKubelet, 6) }, "certificate", "w1", "kubelet"},

		// Pods that would not fit.
		{"no room for the CPU", func(in *Input) { in.pods("big", 17_000, nil, -1, 0) }, "pods-fit-nowhere", "shop/big", "find no place"},
		{"a volume that is on one node", func(in *Input) { in.pods("db", 100, nil, in.only(1, "where volume data is"), 1) },
			"pods-fit-nowhere", "shop/db", "where volume data is"},
		{"a selector that one node has", func(in *Input) {
			only := in.only(2, "node selector disk=ssd")
			in.pods("cache", 100, func(k *lifecycle.PodKind) { k.Selected = only }, -1, 2)
		}, "pods-fit-nowhere", "shop/cache", "disk=ssd"},
		{"a taint that only one node's pods tolerate", func(in *Input) {
			only := in.only(0, "taints that it tolerates")
			in.pods("gpu", 100, func(k *lifecycle.PodKind) { k.Tolerated = only }, -1, 0)
		}, "pods-fit-nowhere", "shop/gpu", "tolerate"},
		{"a budget that would hold the drain", func(in *Input) {
			in.pods("web", 100, nil, in.only(0, "where volume web is"), 0, 0)
			b := lifecycle.Budget{Namespace: "shop", Name: "web", Rule: "maxUnavailable 1", Allowed: 1, Healthy: 2, Desired: 1, Expected: 2}
			for _, pod := range []string{"web-0", "web-1"} {
				b.Pods = append(b.Pods, lifecycle.BudgetPod{Name: pod, Node: "w1", Ready: true})
			}
			in.State.Budgets = append(in.State.Budgets, b)
		}, "pods-fit-nowhere", "shop/web", "the drain would not end"},

		// Pods that the API would not let in again.
		{"a priority class is gone", func(in *Input) {
			in.pods("pay", 100, func(k *lifecycle.PodKind) { k.PriorityClass, k.Priority = "gold", 7 }, -1, 0)
		}, "pods-refused", "shop/pay", "gold"},
		{"a service account is gone", func(in *Input) {
			in.pods("mail", 100, func(k *lifecycle.PodKind) { k.ServiceAccount = "mailer" }, -1, 0)
		}, "pods-refused", "shop/mail", "mailer"},
		{"a quota is used up beyond what it allows", func(in *Input) {
			a := &in.Evidence.Admission.Value
			a.Overdrawn = append(a.Overdrawn, lifecycle.Quota{Namespace: "shop", Name: "compute",
				Over: []lifecycle.QuotaUse{{Resource: "cpu", Text: "cpu: 40 used, 20 allowed"}}})
		}, "pods-refused", "", "40 used"},
		{"a level of Pod Security that a pod does not keep to", func(in *Input) {
			in.pods("agent", 100, refusedAs(lifecycle.RefusedByPodSecurity, "baseline:latest", 0), -1, 0)
		}, "pods-refused", "shop/agent", "kubectl label namespace shop pod-security.kubernetes.io/enforce=privileged"},
		{"a check of Pod Security that the version brings", func(in *Input) {
			in.pods("probe", 100, refusedAs(lifecycle.RefusedByPodSecurity, "baseline:latest", 37), -1, 0)
		}, "pods-refused", "shop/probe", "enforce-version=v1.36"},
		{"a LimitRange that a pod is out of", func(in *Input) {
			in.pods("store", 100, refusedAs(lifecycle.RefusedByLimitRange, "sizes", 0), -1, 0)
		}, "pods-refused", "shop/store", "edit limitrange sizes"},
		{"a quota that demands what a pod does not say", func(in *Input) {
			in.pods("cron", 100, refusedAs(lifecycle.RefusedByQuota, "compute", 0), -1, 0)
		}, "pods-refused", "shop/cron", "demands what they do not say"},
		{"a policy whose expressions are not known", func(in *Input) {
			in.Evidence.Admission.Value.Policies = append(in.Evidence.Admission.Value.Policies,
				lifecycle.PodPolicy{Name: "images", Binding: "images-everywhere", Kinds: []int32{0}})
		}, "pods-judged-by-policy", "images", "--dry-run=server"},
		{"a webhook on one node", func(in *Input) {
			in.webhook("gate", lifecycle.Backend{Pod: "g1", Node: "w2"}, lifecycle.Backend{Pod: "g2", Node: "w2"})
		}, "webhook-on-few-nodes", "gate", "w2"},
		{"a webhook that nobody answers", func(in *Input) { in.webhook("absent") }, "webhook-down", "absent", ""},

		{"a feature gate that is locked to another value", func(in *Input) {
			in.configure(parts{"workerProfiles": `[{"name":"default","values":{"featureGates":{"UserNamespacesSupport":false}}}]`})
		}, "setting", "", "locks the feature gate UserNamespacesSupport to true"},
		{"a feature gate that another needs", func(in *Input) {
			in.configure(parts{"featureGates": `[{"name":"ContainerRestartRules","enabled":false,"components":["kube-scheduler"]}]`})
		}, "setting", "", "needs ContainerRestartRules, which is off"},
		{"a controller's old name", func(in *Input) {
			in.configure(parts{"controllerManager": `{"rawArgs":["--controllers=*,-route"]}`})
		}, "setting", "", "has no controller route"},
		// Addons whose charts are not made for what comes.
		{"a chart that stays and ends", func(in *Input) { in.chart("ingress", "ingress", "4.1.0", "<1.37.0-0", "4.1.0", "<1.37.0-0") },
			"chart", "addon ingress", "not made for Kubernetes v1.37"},
		{"a chart for which no order works", func(in *Input) { in.chart("mesh", "mesh", "1.0.0", "<1.37.0-0", "3.0.0", ">=1.38.0-0") },
			"chart", "addon mesh", ""},
		{"Kubernetes first, then the chart", func(in *Input) { in.chart("logs", "logs", "1.0.0", ">=1.30.0-0", "2.0.0", ">=1.37.0-0") },
			"chart", "addon logs", "Kubernetes first"},

		{"an addon that leaves out a version that is used", func(in *Input) { in.leavesOut() }, "definition", "", "pools.example/v1beta1 Pool"},

		// Machines that lack something, or are unlike their siblings.
		{"a disk is full", func(in *Input) { in.host("w2").Full = []string{"/var/lib/k0s"} }, "machine-disk", "w2", "/var/lib/k0s"},
		{"a clock is off", func(in *Input) { in.host("w3").ClockOffset = 95 }, "machine-clock", "w3", "95 s"},
		{"another kernel", func(in *Input) { in.host("w4").Kernel = "6.1.0-18" }, "unlike-its-siblings", "w4", "6.1.0-18"},
		{"somebody's drop-in", func(in *Input) {
			in.host("w3").DropIns = []lifecycle.DropIn{{Path: "/etc/k0s/containerd.d/nvidia.toml", Form: 3}}
		}, "unlike-its-siblings", "w3", "nvidia.toml"},

		// etcd, on which each step rests.
		{"etcd is out of space", func(in *Input) { in.alarm(lifecycle.EtcdNoSpace) },
			"etcd-space", "", "NOSPACE"},
		{"etcd's members differ", func(in *Input) { in.alarm(lifecycle.EtcdCorrupt) },
			"etcd-corrupt", "", "CORRUPT"},
		{"etcd is nearly full", func(in *Input) { e := in.host("c1").Etcd; e.Size, e.InUse = 1800<<20, 1700<<20 },
			"etcd-space", "c1", "quota-backend-bytes"},
		{"etcd is hollow", func(in *Input) { e := in.last().Etcd; e.Size, e.InUse = 400<<20, 100<<20 },
			"etcd-space", "c", "kiban maintain etcd"},
		{"etcd has no leader", func(in *Input) { in.host("c1").Etcd.Leaderless = true }, "etcd-membership", "c1", "no leader"},
		{"a member has no vote", func(in *Input) { in.host("c1").Etcd.Learner = true }, "etcd-membership", "c1", "no vote"},
		{"a member never started", func(in *Input) {
			in.State.Etcd.Members = append(in.State.Etcd.Members, lifecycle.EtcdMember{PeerAddress: "10.9.9.9"})
		}, "etcd-membership", "", "10.9.9.9"},
		{"the disk is slow", func(in *Input) { in.host("c1").Etcd.SlowFsyncs = 400 }, "etcd-pace", "c1", "disk"},
		{"etcd changes its leader", func(in *Input) { in.host("c1").Etcd.LeaderChanges = 20 }, "etcd-pace", "c1", "leader"},

		// Known risks.
		{"Argo CD does not know a field of CSI drivers", func(in *Input) { in.chart("gitops", "argo-cd", "9.5.0", "", "9.5.0", "") },
			"argo-cd-csi-drivers", "addon gitops", ""},
		{"events without a limit", func(in *Input) {
			in.configure(parts{"workerProfiles": `[{"name":"default","values":{"eventRecordQPS":0}}]`})
		}, "kubernetes-event-record-qps", "", ""},
		{"volumes mounted with SELinux labels", func(in *Input) {
			for _, n := range in.State.Nodes {
				in.host(n.Name).OS = "rocky 9.4"
			}
		}, "kubernetes-selinux-mount", "", "rocky"},
		{"MetalLB's BGP by another daemon", func(in *Input) {
			in.chart("metallb", "metallb", "0.15.3", "", "0.16.0", "")
			in.Site.Objects = append(in.Site.Objects, lifecycle.Document{Kind: "BGPPeer", Name: "router"})
		}, "metallb-frr-k8s", "addon metallb", ""},
		{"Datadog's operator leaves objects alone", func(in *Input) {
			in.chart("datadog", "datadog", "3.160.0", "", "3.164.0", "")
			in.Site.Objects = append(in.Site.Objects, lifecycle.Document{Kind: "DatadogSLO", Name: "shop"})
		}, "datadog-operator-controllers", "addon datadog", ""},
		{"Argo CD finds its objects by another mark", func(in *Input) { in.chart("deploy", "argo-cd", "7.9.0", "", "10.2.0", "") },
			"argo-cd-3", "addon deploy", ""},
	}
}
