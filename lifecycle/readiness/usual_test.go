package readiness

import (
	"fmt"
	"math/rand/v2"

	"kiban.dev/kiban/lifecycle"
)

// usual sets what sites set: flags, gates, plugins and profiles that every version on the way has, and addons that are made for all of
// them.
func (in *Input) usual(r *rand.Rand) {
	gates := []string{"AllAlpha=false", "PodLevelResources=true", "GracefulNodeShutdown=true", "WatchList=true"}
	in.configure(parts{
		"api": fmt.Sprintf(`{"extraArgs":{"profiling":"false","tls-min-version":"VersionTLS12","audit-log-path":"/var/log/audit.log",`+
			`"enable-admission-plugins":"NodeRestriction,AlwaysPullImages","feature-gates":%q}}`, gates[r.IntN(len(gates))]),
		"controllerManager": `{"extraArgs":{"profiling":"false","terminated-pod-gc-threshold":"1000","controllers":"*,bootstrapsigner"}}`,
		"scheduler":         `{"extraArgs":{"profiling":"false"}}`,
		"workerProfiles":    `[{"name":"default","values":{"maxPods":200,"featureGates":{"GracefulNodeShutdown":true}}}]`,
	})
	in.argument("w1", "--kubelet-extra-args=--node-ip=10.0.0.1 --v=2")
	for _, name := range []string{"storage", "tracing", "secrets"}[:r.IntN(4)] {
		in.chart(name, name, "1.0.0", ">=1.30.0-0", []string{"1.0.0", "1.1.0"}[r.IntN(2)], ">=1.32.0-0")
		u := &in.State.Units[len(in.State.Units)-1]
		u.Serves = []string{name + ".example/v1/Pool", name + ".example/v1beta1/Pool"}
		in.State.API.Capabilities.APIs = append(in.State.API.Capabilities.APIs, u.Serves[r.IntN(2)])
	}
	in.State.API.Capabilities.APIs = append(in.State.API.Capabilities.APIs, "apps/v1/Deployment")
}

// leavesOut declares an addon that no longer serves a version of its kind, in which the repository still has a document.
func (in *Input) leavesOut() {
	in.chart("pools", "pools", "1.0.0", "", "2.0.0", "")
	in.State.Units[len(in.State.Units)-1].Serves = []string{"pools.example/v1/Pool"}
	in.State.API.Capabilities.APIs = append(in.State.API.Capabilities.APIs, "pools.example/v1beta1/Pool", "pools.example/v1/Pool")
	in.Site.Objects = append(in.Site.Objects, lifecycle.Document{APIVersion: "pools.example/v1beta1", Kind: "Pool", Name: "public"})
}
