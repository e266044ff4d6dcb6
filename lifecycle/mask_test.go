package lifecycle

import (
	"strings"
	"testing"
)

func TestMaskText(t *testing.T) {
	for text, want := range map[string]string{
		"postgres://me:hunter2@db/x":             "postgres://(masked)@db/x",
		"--oidc-client-secret=hunter2 --v=4":     "--oidc-client-secret=(masked) --v=4",
		"DB_PASSWORD=hunter2 MODE=fast":          "DB_PASSWORD=(masked) MODE=fast",
		"a: 1\npassword: hunter2 and more\nb: 2": "a: 1\npassword: (masked)\nb: 2",
		`{"adminToken":"hunter2","a":1}`:         `{"adminToken":(masked),"a":1}`,
		`{"password": "hunter2 \" hunter2"}`:     `{"password": (masked)}`,
		"{password: 'hunter2, hunter2', a: 1}":   "{password: (masked), a: 1}",
		"--taints=key=value:NoSchedule":          "--taints=key=value:NoSchedule",
		"quay.io/keycloak:1.2":                   "quay.io/keycloak:1.2",
	} {
		if got := MaskText(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestSecretPath(t *testing.T) {
	for path, want := range map[string]bool{
		"spec.storage.kine.dataSource": true, "--token": true, "spec.extensions.helm.charts[0].values": true,
		"spec.extensions.helm.charts[name=a].values.x": true, "spec.network.coreDNS.patches[0].patch.content": true,
		"spec.extensions.helm.charts[0].version": false, "spec.workerProfiles[0].values.maxPods": false, "files.content": false,
	} {
		if SecretPath(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}

// A value that comes or goes as a whole is masked as its parts are, and stays what it was for whoever else has it.
func TestMaskValue(t *testing.T) {
	charts := map[string]any{"charts": []any{map[string]any{"name": "a", "version": "1", "values": "x: hunter2"}}}
	masked := MaskValue("spec.extensions.helm", charts, func(path string, _ any) bool { return SecretPath(path) }, "-")
	chart := masked.(map[string]any)["charts"].([]any)[0].(map[string]any)
	if chart["values"] != "-" || chart["version"] != "1" {
		t.Errorf("got %v", masked)
	}
	if kept := charts["charts"].([]any)[0].(map[string]any)["values"].(string); !strings.Contains(kept, "hunter2") {
		t.Error("the value itself was changed")
	}
}
