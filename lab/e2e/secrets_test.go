package e2e

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// planted are the secrets of TestSecretsStayWhereTheyBelong, each with the place it is in. n tells those before the upgrade from those
// after.
func planted(n string) map[string]string {
	return map[string]string{
		"a host's environment":        "planted-in-environment-" + n,
		"a declared file":             "planted-in-a-file-" + n,
		"a load balancer's password":  "plant-" + n, // keepalived takes eight characters
		"a chart repository's":        "planted-in-a-repository-" + n,
		"a chart's values":            "planted-in-values-" + n,
		"a file beside the documents": "planted-beside-" + n,
	}
}

// plant declares them.
func (b *bench) plant(n string) {
	b.t.Helper()
	s := planted(n)
	b.Config = `          controlPlaneLoadBalancing:
            enabled: true
            type: Keepalived
            keepalived:
              vrrpInstances:
              - {virtualIPs: ["` + b.Net + `.200/24"], authPass: ` + s["a load balancer's password"] + `}
        extensions:
          helm:
            repositories:
            - {name: charts, url: "https://charts.example", username: kiban, password: ` + s["a chart repository's"] + `}
            charts:
            - {name: web, chartname: charts/web, version: 1.0.0, namespace: default, values: "password: ` + s["a chart's values"] + `\n"}
`
	b.write()
	b.encrypted()
	path := filepath.Join(b.dir, "overlays", "lab", "cluster.yaml")
	doc, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	more := `    environment:
      APP_LICENSE: ` + s["a host's environment"] + `
    files:
    - {name: inline, data: "` + s["a declared file"] + `", dst: /etc/app/inline, perm: "0600"}
    - {name: beside, src: secret.txt, dst: /etc/app/beside, perm: "0600"}
    ssh:
`
	b.file(path, strings.ReplaceAll(string(doc), "    ssh:\n", more))
	b.file(filepath.Join(b.dir, "overlays", "lab", "secret.txt"), s["a file beside the documents"]+"\n")
}

// Secrets of the declaration and of the cluster reach the machines, and nothing that anybody reads: no output however talkative, no plan,
// no journal, no record of commands, no argument list on a machine.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	b := start(t, "127.207.1", 1, 1)
	b.plant("1")
	var printed []result
	does := func(code int, args ...string) {
		t.Helper()
		printed = append(printed, b.must(code, b.kiban(args...)))
	}
	does(0, "validate", "lab", "-o", "json", "--verbose")
	does(0, "plan", "lab", "--verbose")
	does(0, "apply", "lab", "--yes", "--verbose")

	b.Version = v136
	b.plant("2")
	does(0, "plan", "lab", "-o", "json", "--verbose", "--out", "saved.plan")
	does(0, "plan", "lab", "-o", "markdown")
	does(0, "plan", "lab")
	does(0, "apply", "lab", "--plan", "saved.plan", "--verbose")
	does(0, "status", "lab", "-o", "json", "--verbose")
	does(0, "runs", "lab", "-o", "json", "--verbose")
	does(0, "show", "latest", "-o", "json")
	does(0, "show", "latest", "-o", "html")

	for what, path := range map[string]string{"planted-in-environment-2": "/etc/environment", "planted-in-a-file-2": "/etc/app/inline",
		"planted-beside-2": "/etc/app/beside"} {
		if got := b.must(0, b.lab("exec", "--dir", ".lab", "worker-1", "cat "+path)).stdout; !strings.Contains(got, what) {
			t.Errorf("%s is not on the machine: %q", what, got)
		}
	}
	admin := b.must(0, b.lab("exec", "--dir", ".lab", "controller-1", "cat /var/lib/k0s/pki/admin.conf")).stdout
	key := regexp.MustCompile(`client-key-data: (\S{80})`).FindStringSubmatch(admin)
	if key == nil {
		t.Fatalf("admin.conf has no key: %s", tail(admin, 200))
	}
	secrets := map[string]string{"the administrator's key": key[1], "a private key": "PRIVATE KEY", "the recipient's key": backupKey}
	for _, n := range []string{"1", "2"} {
		for where, secret := range planted(n) {
			secrets[where+" ("+n+")"] = secret
		}
	}
	// what k0s prints as a join token is a gzip stream in base64; a bootstrap token is its name, a dot, and the secret
	tokens := regexp.MustCompile(`H4sI[A-Za-z0-9+/]{40,}|\b[a-z0-9]{6}\.[a-z0-9]{16}\b`)
	texts := b.readable(printed)
	if !slices.ContainsFunc(keysOf(texts), func(name string) bool { return strings.HasSuffix(name, ".commands.jsonl") }) {
		t.Errorf("no audit file was searched: %q", keysOf(texts))
	}
	if texts["the saved plan"] == "" {
		t.Error("no saved plan was searched")
	}
	for where, text := range texts {
		for what, secret := range secrets {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s is in %s: …%s…", what, where, text[max(0, i-120):min(len(text), i+60)])
			}
		}
		if token := tokens.FindString(text); token != "" {
			t.Errorf("a join token is in %s: %s", where, token)
		}
	}
}

// readable is all that a run leaves for people and pipelines to read, by where it is.
func (b *bench) readable(printed []result) map[string]string {
	b.t.Helper()
	texts := map[string]string{"the machines' commands": b.must(0, b.lab("commands", "--dir", ".lab", "-o", "json")).stdout}
	for _, r := range printed {
		texts["the output of "+strings.Join(r.argv[1:], " ")] = r.stdout + r.stderr
	}
	if saved, err := os.ReadFile(filepath.Join(b.dir, "saved.plan")); err == nil {
		texts["the saved plan"] = string(saved)
	} else if !errors.Is(err, fs.ErrNotExist) {
		b.t.Fatal(err)
	}
	err := filepath.WalkDir(filepath.Join(b.dir, ".kiban"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.Contains(path, "/cache/") {
			return err
		}
		doc, err := os.ReadFile(path)
		texts[path] = string(doc)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return texts
}

func keysOf(texts map[string]string) []string {
	var names []string
	for name := range texts {
		names = append(names, name)
	}
	return names
}
