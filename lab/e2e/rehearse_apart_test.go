package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRehearsalAsksTheSiteOnce: strace sees each address that kiban and all that it starts connect to. The site's machines are asked
// before the lab of the rehearsal begins, and never again. The site encrypts at rest, and so does its twin, with a key of its own.
func TestRehearsalAsksTheSiteOnce(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil || exec.Command(strace, "-f", "-o", os.DevNull, "true").Run() != nil {
		t.Skip("strace can't be used: install Debian's package")
	}
	const net = "127.236.42"
	platformSecrets(t)
	b := start(t, net, 1, 1)
	b.Config = "        api:\n          extraArgs: {encryption-provider-config: /etc/k0s/encryption.yaml}\n"
	b.Spec = "  files:\n    /etc/k0s/encryption.yaml: {on: controllers, from: {fileEnv: KIBAN_SECRET_ENCRYPTION_CONFIG}, " +
		"mode: \"0600\", owner: kube-apiserver}\n"
	b.write()
	b.apply(0)
	t.Setenv("KIBAN_LAB", binary(t, "KIBAN_LAB_BIN", "kiban-lab"))
	trace := filepath.Join(t.TempDir(), "trace")
	r := b.run(hangs, strace, "-f", "--seccomp-bpf", "-ttt", "-s", "400", "-e", "trace=connect,execve", "-o", trace,
		binary(t, "KIBAN_BIN", "kiban"), "rehearse", "lab", "--to", v136, "-o", "json")
	var told rehearsal
	if err := json.Unmarshal([]byte(r.stdout), &told); err != nil {
		t.Fatalf("%v\n%s", err, r)
	}
	if told.Result != "done" || !told.Same {
		t.Errorf("got %+v: %s", told, r)
	}
	b.says(r, "a key of the twin's own")
	seen, err := os.ReadFile(trace)
	must(t, err)
	began := regexp.MustCompile(`execve\("[^"]*kiban-lab", \["[^"]*kiban-lab", "up"`)
	before, after := 0, 0
	up := false
	for line := range strings.Lines(string(seen)) {
		switch {
		case began.MatchString(line):
			up = true
		case strings.Contains(line, "connect(") && strings.Contains(line, `"`+net+"."):
			if !up {
				before++
			} else if after++; after < 5 {
				t.Errorf("after the snapshot: %s", line)
			}
		}
	}
	if !up || before < 2 {
		t.Errorf("the lab was started: %t; connections to the site's machines before that: %d", up, before)
	}
	t.Logf("%d connections to the site before the snapshot was taken, %d after", before, after)
}
