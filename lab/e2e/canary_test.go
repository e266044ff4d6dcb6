package e2e

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The canaries that kiban is given by its environment.
func environmentCanaries() map[string]string {
	return map[string]string{
		"KIBAN_SECRET_APP":       "planted-for-an-addon",
		"KIBAN_SECRET_ACCESS":    bucketKey,
		"KIBAN_SECRET_KEY":       bucketSecret,
		"KIBAN_GITLAB_TOKEN":     "glpat-planted-for-notes",
		"KIBAN_REVIEW_TOKEN":     "glpat-planted-for-reviews",
		"CI_JOB_TOKEN":           "planted-for-the-job",
		"AWS_SECRET_ACCESS_KEY":  "planted-for-another-program",
		"KIBAN_IDENTITY_PLANTED": backupKey,
	}
}

// webhookCanary is the part of a webhook's address that lets whoever has it write there.
const webhookCanary = "T0planted/B0planted/x8Zq-planted"

// machineCanaries plants a secret in each file of a machine that people keep some in and kiban has no business with, and in those that k0s
// itself is run with; what k0s made there is added as it is.
func (b *bench) machineCanaries() map[string]string {
	b.t.Helper()
	out := map[string]string{}
	for _, m := range b.Machines() {
		unit := "k0sworker"
		if strings.HasPrefix(m.Name, "controller") {
			unit = "k0scontroller"
		}
		for i, file := range []string{"/root/.ssh/id_ed25519", "/root/.bash_history", "/etc/shadow", "/etc/k0s/other.yaml",
			"/etc/k0s/containerd.toml",
			"/etc/systemd/system/" + unit + ".service.d/proxy.conf", "/var/lib/k0s/manifests/own/secret.yaml", "/var/log/planted.log",
			"/var/lib/kubelet/planted", "/etc/sysconfig/" + unit, "/tmp/planted"} {
			secret := "c4nary-of-" + m.Name + "-" + string(rune('a'+i))
			line := secret
			switch filepath.Ext(file) {
			case ".conf":
				line = "[Service]\nEnvironment=HTTPS_PROXY=http://kiban:" + secret + "@proxy.example:3128"
			case ".toml":
				line = "# password = \"" + secret + "\""
			}
			b.append(filepath.Join(b.dir, ".lab", "machines", m.Name, "root", file), line+"\n") // not by a command, which is recorded
			out[m.Name+":"+file] = secret
		}
	}
	return out
}

// append adds to a file, which need not be there.
func (b *bench) append(path, text string) {
	b.t.Helper()
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.t.Fatal(err)
	}
	b.file(path, string(old)+text)
}

// long are words that nobody writes twice by chance.
var long = regexp.MustCompile(`[A-Za-z0-9+/=_-]{48,}`)

// made are the secrets that k0s and the lab made, of all files that hold keys or tokens, and what of them is public left out.
func (b *bench) made() map[string]string {
	b.t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(filepath.Join(b.dir, ".lab"), func(path string, e fs.DirEntry, err error) error {
		name := filepath.Base(path)
		held := strings.HasSuffix(name, ".key") || strings.HasSuffix(name, ".conf") || strings.Contains(name, "token") ||
			strings.HasPrefix(name, "id_")
		if err != nil || e.IsDir() || !held || strings.HasSuffix(name, ".pub") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, line := range strings.Split(string(text), "\n") {
			if strings.Contains(line, "certificate-") { // whoever connects is shown it
				continue
			}
			for _, word := range long.FindAllString(line, -1) {
				out[path+": "+word[:6]] = word[:48]
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// TestCanariesOfAFleet plants a secret in every place of a fleet and in files of every machine, and then uses what kiban has to show:
// reports and records of what went well and of what failed, by every form, however talkative. None is in any of it, nor in what it leaves
// beside the fleet, in a note, in a message, or in a command that a machine was sent.
func TestCanariesOfAFleet(t *testing.T) {
	t.Parallel()
	b := start(t, "127.207.9", 1, 1)
	webhook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(webhook.Close)
	k := b.bucket()
	var argv []string
	for name, value := range environmentCanaries() {
		argv = append(argv, name+"="+value)
	}
	argv = append(argv, "KIBAN_WEBHOOK="+webhook.URL+"/services/"+webhookCanary, "GITLAB_CI=true", "CI=true", binary(t, "KIBAN_BIN", "kiban"))
	var printed []result
	does := func(code int, args ...string) result {
		t.Helper()
		r := b.run(8*time.Minute, "/usr/bin/env", append(argv, args...)...)
		r.argv = append([]string{"kiban"}, args...)
		if code >= 0 && r.code != code {
			t.Errorf("want exit %d, got %s", code, r)
		}
		printed = append(printed, r)
		return r
	}
	declare := func(n string) {
		b.Documents = map[string]string{
			"addon.yaml": "apiVersion: kiban.dev/v1alpha1\nkind: Addon\nmetadata: {name: app}\nspec:\n  namespace: app\n  manifests: [app.yml]\n" +
				"  secrets: [{name: app, keys: {password: {env: KIBAN_SECRET_APP}, other: {file: ../../.lab/app-secret}}}]\n",
		}
		b.file(filepath.Join(b.dir, ".lab", "app-secret"), "planted-in-a-file-of-an-addon\n")
		b.file(filepath.Join(b.dir, "overlays", "lab", "app.yml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {n: '"+n+"'}\n")
		b.plant(n)
		path := filepath.Join(b.dir, "overlays", "lab", "site.yaml")
		doc, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		const recipients = "recipients: [" + backupRecipient + "]"
		b.file(path, strings.Replace(string(doc), recipients, recipients+", to: [{s3: {endpoint: '"+
			k.address+"', bucket: backups, region: us-east-1, accessKey: {env: KIBAN_SECRET_ACCESS}, secretKey: {env: KIBAN_SECRET_KEY}}}]", 1))
	}
	declare("1")
	first := b.commit("one")
	does(0, "validate", "-o", "json", "--verbose")
	does(0, "apply", "lab", "--yes", "--verbose")
	cs, _ := b.admin()
	b.note(cs, "before")
	planted := b.machineCanaries()

	b.Version = v136
	declare("2")
	b.commit("two")
	for _, form := range []string{"text", "json", "markdown"} {
		does(0, "diff", "lab", "--from", first, "-o", form, "--verbose")
		does(0, "plan", "lab", "-o", form, "--verbose")
	}
	for _, form := range []string{"text", "json", "codequality", "junit"} {
		does(0, "validate", "-o", form, "--verbose")
	}
	told := does(0, "plan", "lab", "-o", "json", "--report", "report.json", "--out", "saved.plan")
	b.file(filepath.Join(b.dir, "plans", "lab.json"), told.stdout)
	does(0, "ci", "note", "--plans", "plans", "--changed-since", first, "--print", "--verbose")
	does(-1, "ci", "note", "--plans", "plans", "--changed-since", first, "--verbose") // there is no GitLab
	does(0, "ci", "generate", "plan", "lab")
	does(-1, "ci", "tell", "lab", "started", "--plan", "plans/lab.json", "--verbose") // the webhook refuses
	b.fault("worker-1", "fail", "k0s install")
	does(1, "apply", "lab", "--yes", "--verbose", "--result", "result.json")
	does(-1, "ci", "tell", "lab", "ended", "--result", "result.json", "--verbose")
	does(0, "ci", "tell", "lab", "ended", "--result", "result.json", "--print")
	b.mend("worker-1")
	does(0, "apply", "lab", "--yes", "--retry-failed", "--verbose", "--result", "result.json")
	for _, form := range []string{"text", "json", "yaml"} {
		does(0, "status", "lab", "-o", form, "--verbose")
		does(0, "addons", "lab", "-o", form, "--verbose")
	}
	for _, form := range []string{"text", "json"} {
		does(0, "runs", "lab", "-o", form, "--verbose")
		does(0, "node", "list", "lab", "-o", form)
		does(0, "node", "show", "lab", "worker-1", "-o", form)
		does(0, "backup", "list", "lab", "-o", form, "--verbose")
		does(0, "sites", "-o", form)
	}
	does(0, "fleet", "collect", "--verbose")
	does(0, "fleet", "metrics", "--verbose")
	does(0, "fleet", "next", "-o", "json", "--verbose")
	does(0, "fleet", "holds", "-o", "json", "--verbose")
	does(0, "node", "maintain", "lab", "worker-1", "--yes", "--verbose", "--", "echo", "well")
	does(0, "backup", "lab", "--verbose")
	does(0, "hosts", "trust", "lab", "--verbose")
	var runs []struct{ ID string }
	if err := json.Unmarshal([]byte(does(0, "runs", "lab", "--local", "-o", "json").stdout), &runs); err != nil || len(runs) < 3 {
		t.Fatalf("%d runs: %v", len(runs), err)
	}
	for _, run := range runs {
		for _, form := range []string{"text", "json", "markdown", "html"} {
			does(0, "show", run.ID, "--site", "lab", "-o", form)
		}
	}

	secrets := map[string]string{"a Secret of the cluster": plantedSecret, "a webhook's address": webhookCanary,
		"a file of an addon's secret": "planted-in-a-file-of-an-addon"}
	for _, more := range []map[string]string{planted, environmentCanaries(), plantedIn("1"), plantedIn("2"), b.made()} {
		for where, secret := range more {
			secrets[where] = secret
		}
	}
	if len(secrets) < 60 {
		t.Errorf("only %d canaries are planted: %q", len(secrets), secrets)
	}
	texts := b.readable(printed)
	for _, left := range []string{"report.json", "result.json", "plans/lab.json"} {
		text, err := os.ReadFile(filepath.Join(b.dir, left))
		if err != nil {
			t.Error(err)
		}
		texts[left] = string(text)
	}
	if log, err := exec.Command("git", "-C", b.dir, "status", "--porcelain").Output(); err == nil {
		texts["git status"] = string(log)
	}
	shown := 0
	for where, text := range texts {
		shown += len(text)
		for what, secret := range secrets {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
				if i := strings.Index(text, form); i >= 0 {
					t.Errorf("%s is in %s: …%s…", what, where, text[max(0, i-120):min(len(text), i+60)])
				}
			}
		}
	}
	if len(texts) < 60 || shown < 200_000 {
		t.Errorf("only %d texts of %d bytes were searched", len(texts), shown)
	}
	t.Logf("%d canaries, %d texts, %d bytes", len(secrets), len(texts), shown)
}

// plantedIn is planted, by names that tell the two declarations apart.
func plantedIn(n string) map[string]string {
	out := map[string]string{}
	for where, secret := range planted(n) {
		out[where+" ("+n+")"] = secret
	}
	return out
}
