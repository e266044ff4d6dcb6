package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestA1_AControllerStartsNothing: a controller whose kubeconfig starts a program and reads files has neither done, by no verb; each says
// which it is and what is wrong, and nothing of it, secrets included, is in what they print or keep. Put right, all is as before.
func TestA1_AControllerStartsNothing(t *testing.T) {
	t.Parallel()
	b := start(t, "127.207.5", 1, 1)
	b.apply(0)
	const conf = "/var/lib/k0s/pki/admin.conf"
	on := func(machine, command string) string {
		t.Helper()
		return b.must(0, b.lab("exec", "--dir", ".lab", machine, command)).stdout
	}
	good, ran := on("controller-1", "cat "+conf), filepath.Join(t.TempDir(), "ran")
	evil := strings.TrimRight(good, "\n") + "\n    token: planted-in-a-kubeconfig\n    tokenFile: /etc/hostname\n" +
		`    exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, args: [-c, "touch ` + ran + `"]}` + "\n"
	on("controller-1", "printf '%s' '"+evil+"' > "+conf)
	on("worker-1", "mkdir -p /var/lib/k0s/pki; printf '%s' '"+evil+"' > "+conf)
	m := b.mark()
	var printed []string
	for _, c := range []struct {
		code int
		args []string
	}{
		{0, []string{"status", "lab"}}, {0, []string{"status", "lab", "-o", "json"}}, {1, []string{"plan", "lab"}},
		{1, []string{"plan", "lab", "-o", "json"}}, {1, []string{"plan", "lab", "-o", "markdown", "--verbose"}},
		{1, []string{"apply", "lab", "--yes"}}, {1, []string{"kubeconfig", "lab"}},
	} {
		r := b.must(c.code, b.kiban(c.args...))
		b.says(r, "controller-1", "user.exec, which k0s does not write")
		printed = append(printed, r.stdout, r.stderr)
	}
	b.untouched(m, "a controller that lies")
	if _, err := os.Stat(ran); err == nil {
		t.Error("the controller's program ran here")
	}
	err := filepath.WalkDir(filepath.Join(b.dir, ".kiban"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.Contains(path, "/cache/") {
			return err
		}
		kept, err := os.ReadFile(path)
		printed = append(printed, string(kept))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range printed {
		if i := strings.Index(text, "planted-in-a-kubeconfig"); i >= 0 {
			t.Errorf("a secret of the machine is shown: %s", tail(text[:i], 300))
		}
	}
	on("controller-1", "printf '%s' '"+good+"' > "+conf)
	b.emptyPlan()
	if r := b.must(0, b.kiban("kubeconfig", "lab")); strings.Contains(r.stdout, "exec") || !strings.Contains(r.stdout, "client-key-data") {
		t.Errorf("the kubeconfig is another: %s", r)
	}
}
