package check

import (
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestDecideEmulates: all three say it; another answer is not waited for, none is.
func TestDecideEmulates(t *testing.T) {
	g := lifecycle.Gate{Kind: lifecycle.GateEmulates, Target: "c1", Version: lifecycle.Version{Major: 1, Minor: 35, Patch: 7}}
	both := map[string]string{"kube-controller-manager": "1.35", "kube-scheduler": "1.35"}
	for name, tt := range map[string]struct {
		api  string
		acts map[string]string
		want lifecycle.GateState
	}{
		"all": {"1.35", both, lifecycle.GateMet}, "the API server is itself": {"1.36", both, lifecycle.GateFailed},
		"the API server says nothing": {"", both, lifecycle.GateWaiting},
		"the scheduler says nothing":  {"1.35", map[string]string{"kube-controller-manager": "1.35"}, lifecycle.GateWaiting},
		"the scheduler is itself": {"1.35", map[string]string{"kube-controller-manager": "1.35", "kube-scheduler": "1.36"},
			lifecycle.GateFailed},
	} {
		servers := []lifecycle.APIServer{{Host: "c0", Emulates: "1.36"}, {Host: "c1", Emulates: tt.api}}
		if got := decideEmulates(servers, tt.acts, g); got.State != tt.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := decideEmulates(nil, both, g); got.State != lifecycle.GateFailed {
		t.Errorf("no API server: %+v", got)
	}
}

// TestDecideStored: another version, one more and one less all fail, and so does no record.
func TestDecideStored(t *testing.T) {
	kept := map[string]string{"apis/apps/v1/deployments": "a", "api/v1/pods": "b"}
	for name, tt := range map[string]struct {
		now, kept map[string]string
		want      lifecycle.GateState
	}{
		"alike":     {map[string]string{"apis/apps/v1/deployments": "a", "api/v1/pods": "b"}, kept, lifecycle.GateMet},
		"otherwise": {map[string]string{"apis/apps/v1/deployments": "a", "api/v1/pods": "c"}, kept, lifecycle.GateFailed},
		"more":      {map[string]string{"apis/apps/v1/deployments": "a", "api/v1/pods": "b", "apis/x/v1/y": "d"}, kept, lifecycle.GateFailed},
		"less":      {map[string]string{"api/v1/pods": "b"}, kept, lifecycle.GateFailed},
		"no record": {kept, nil, lifecycle.GateFailed},
	} {
		if got := decideStored(tt.now, tt.kept, "c1"); got.State != tt.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
