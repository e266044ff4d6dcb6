package helm

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// metallb is the folder that MetalLB's real chart is in; its Go module carries it.
func metallb(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "-json", "go.universe.tf/metallb@v0.16.2").Output()
	var module struct{ Dir string }
	if err != nil || json.Unmarshal(out, &module) != nil || module.Dir == "" {
		t.Skipf("MetalLB's module cannot be downloaded: %v", err)
	}
	return filepath.Join(module.Dir, "charts")
}

func metallbAddon(t *testing.T, values string) lifecycle.Addon {
	return lifecycle.Addon{Name: "metallb", Namespace: "metallb-system",
		Chart: &lifecycle.Chart{Repo: metallb(t), Name: "metallb", Version: "0.16.2", Values: []byte(values)}}
}

func TestMetalLB(t *testing.T) {
	a := metallbAddon(t, `{"frrk8s":{"enabled":false}}`)
	r, err := testStore(StoreOptions{}).Render(context.Background(), site("/"), a, lifecycle.Capabilities{Kubernetes: "v1.36.3"})
	if err != nil {
		t.Fatal(err)
	}
	got := names(r.Objects)
	for _, want := range []string{"Deployment metallb-controller", "DaemonSet metallb-speaker",
		"ValidatingWebhookConfiguration metallb-webhook-configuration",
		"CustomResourceDefinition ipaddresspools.metallb.io"} {
		if !slices.ContainsFunc(got, func(n string) bool { return strings.HasSuffix(strings.Replace(n, "metallb-system/", "", 1), want) }) {
			t.Errorf("%s is missing in %q", want, got)
		}
	}
	if len(r.Volatile) != 0 || r.AppVersion != "v0.16.2" || len(r.Images) == 0 {
		t.Errorf("volatile %v, version %s, images %v", r.Volatile, r.AppVersion, r.Images)
	}
	a = metallbAddon(t, `{"controller":{"logLevel":"loud"},"speaker":{"frr":{"enabled":"maybe"}}}`)
	_, err = testStore(StoreOptions{}).Render(context.Background(), site("/"), a, lifecycle.Capabilities{Kubernetes: "v1.36.3"})
	if ds := lifecycle.AsDiagnostics(err, ""); len(ds) != 2 {
		t.Errorf("two values break the schema: %v", err)
	} else {
		wants(t, err.Error(), "controller.logLevel", "speaker.frr.enabled")
	}
}
