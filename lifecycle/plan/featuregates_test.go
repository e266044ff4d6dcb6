package plan

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestFeatureGatesActWhereTheyAreGivenTo: what kubelets are given waits for the workers, and only that; a gate that both sides have to
// have is not turned on in one of them without a word.
func TestFeatureGatesActWhereTheyAreGivenTo(t *testing.T) {
	const all = `["kube-proxy","kube-apiserver","kube-controller-manager","kubelet","kube-scheduler"]`
	gates := func(items string) string { return `{"spec":{"featureGates":[` + items + `]}}` }
	for name, c := range map[string]struct {
		have, want string
		workers    bool   // told to be restarted
		half       string // what is told of a gate that one side has
	}{
		"for all":                  {"", `{"name":"X","enabled":true}`, true, ""},
		"for kubelets alone":       {"", `{"name":"X","enabled":true,"components":["kubelet"]}`, true, ""},
		"for the API server alone": {"", `{"name":"X","enabled":true,"components":["kube-apiserver","kube-scheduler"]}`, false, ""},
		"turned off for kubelets":  {`{"name":"X","enabled":true}`, `{"name":"X","enabled":false,"components":["kubelet"]}`, true, ""},
		"taken from kubelets":      {`{"name":"X","enabled":true}`, `{"name":"X","enabled":true,"components":["kube-apiserver"]}`, true, ""},
		"taken from the scheduler": {`{"name":"X","enabled":true}`, `{"name":"X","enabled":true,"components":["kubelet"]}`, false, ""},
		"all are spelled out":      {`{"name":"X","enabled":true}`, `{"name":"X","enabled":true,"components":` + all + `}`, false, ""},
		"in another order": {`{"name":"X","enabled":true},{"name":"Y","enabled":true}`,
			`{"name":"Y","enabled":true},{"name":"X","enabled":true}`, false, ""},
		"both sides, and for all": {"", `{"name":"ImageVolume","enabled":true}`, true, ""},
		"both sides, and not there": {"", `{"name":"ImageVolume","enabled":true,"components":["kube-apiserver"]}`, false,
			"ImageVolume on for kube-apiserver, and not for kubelet"},
		"both sides, and only there": {"", `{"name":"ImageVolume","enabled":true,"components":["kubelet"]}`, true,
			"ImageVolume on for kubelet, and not for kube-apiserver"},
		"both sides, and off": {"", `{"name":"ImageVolume","enabled":false,"components":["kube-apiserver"]}`, false, ""},
		"half since long": {`{"name":"ImageVolume","enabled":true,"components":["kube-apiserver"]}`,
			`{"name":"ImageVolume","enabled":true,"components":["kube-apiserver"]},` +
				`{"name":"X","enabled":true,"components":["kube-proxy"]}`, false, ""},
	} {
		site := newSite(v136, 1, 2, eachHost(lifecycle.RoleController, config(gates(c.want))))
		plan := makePlan(site, living(t, site, gates(c.have)))
		var told []string
		for _, d := range plan.Diagnostics {
			told = append(told, d.Summary)
			if c.half != "" && strings.Contains(d.Summary, c.half) {
				c.half = ""
			} else if strings.Contains(d.Summary, ", and not for") {
				t.Errorf("%s: %s", name, d.Summary)
			}
		}
		if workers := slices.ContainsFunc(plan.Diagnostics, func(d lifecycle.Diagnostic) bool {
			return strings.Contains(d.Hint, "kiban node reboot lab NODE")
		}); workers != c.workers || c.half != "" || plan.Diagnostics.Err() != nil {
			t.Errorf("%s: workers are told of: %v; untold: %q; %q", name, workers, c.half, told)
		}
		if plan.Empty() {
			t.Errorf("%s: the controllers are not restarted", name)
		}
	}
}
