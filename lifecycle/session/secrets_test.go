package session

import (
	"os"
	"path/filepath"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestA11_SecretsWhereTheyAreUsed: a source is held to the fleet and its owners' list again where its value is taken.
func TestA11_SecretsWhereTheyAreUsed(t *testing.T) {
	fleet, outside := t.TempDir(), filepath.Join(t.TempDir(), "id")
	dir := filepath.Join(fleet, "overlays", "tokyo")
	for file, content := range map[string]string{outside: "outside", filepath.Join(fleet, ".kiban", "key"): "inside\n", filepath.Join(dir,
		"x"): ""} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"KIBAN_SECRET_A": "a", "KIBAN_GITLAB_TOKEN": "token", "LISTED": "listed", "OTHER": "other",
		"KUBECONFIG_X":      "config",
		"KIBAN_SECRET_FILE": outside}
	s := secrets{getenv: func(name string) string { return env[name] }, site: lifecycle.Site{Name: "tokyo", Dir: dir,
		Fleet: lifecycle.Fleet{SecretVariables: []string{"LISTED", "KIBAN_GITLAB_TOKEN"}},
		API:   lifecycle.Access{Kubeconfig: lifecycle.SecretSource{Env: "KUBECONFIG_X"}}}}
	for _, c := range []struct {
		from lifecycle.SecretSource
		want string // "": refused
	}{
		{lifecycle.SecretSource{Env: "KIBAN_SECRET_A"}, "a"}, {lifecycle.SecretSource{Env: "LISTED"}, "listed"},
		{lifecycle.SecretSource{Env: "OTHER"}, ""}, {lifecycle.SecretSource{Env: "KIBAN_GITLAB_TOKEN"}, ""},
		{lifecycle.SecretSource{FileEnv: "KIBAN_SECRET_FILE"}, "outside"}, {lifecycle.SecretSource{FileEnv: "OTHER"}, ""},
		{lifecycle.SecretSource{File: "../../.kiban/key"}, "inside"}, {lifecycle.SecretSource{File: outside}, ""},
		{lifecycle.SecretSource{File: "link"}, ""}, {lifecycle.SecretSource{File: "/proc/self/environ"}, ""},
		{lifecycle.SecretSource{Env: "KUBECONFIG_X"}, "config"}, {lifecycle.SecretSource{Env: "KUBECONFIG_Y"}, ""},
	} {
		got, here, err := s.Find(c.from)
		if string(got) != c.want || (err == nil) != (c.want != "") || here != (c.want != "") {
			t.Errorf("%s: %q, here %t, %v; want %q", c.from, got, here, err, c.want)
		}
	}
	if _, here, err := s.Find(lifecycle.SecretSource{File: "../../.kiban/none"}); here || err != nil {
		t.Errorf("one that is not there: %t, %v", here, err)
	}
}
