// The race detector opens /proc/self/environ itself, which these tests hold to be nobody's to read.

//go:build !race

package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// canaryOfTheRunner is in the environment and in a file of whoever runs kiban: it belongs into no output.
const canaryOfTheRunner = "canary-of-whoever-runs-kiban"

// traced is what a run of kiban did, as the kernel saw it.
type traced struct {
	programs, sockets, files []string
	output                   string
}

var (
	tracedExec = regexp.MustCompile(`^(\d+) +execve\("([^"]*)", \[(.*?)\]`)
	// tracedSSH is what the SSH library asks the local ssh when the program starts, whatever the verb: which algorithms it knows.
	tracedSSH     = regexp.MustCompile(`^"ssh", "-(V|Q", "[-a-zA-Z]+)"$`)
	tracedConnect = regexp.MustCompile(`^\d+ +connect\(\d+, \{(.*)\}, \d+\)`)
	tracedOpen    = regexp.MustCompile(`^\d+ +openat\([^,]*, "([^"]*)".*\) = (\d+)`)
	tracedIPv4    = regexp.MustCompile(`sa_family=AF_INET, sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]*)"\)`)
)

// tracer runs kiban under strace.
type tracer struct {
	strace, kiban, self, home, outside, goRoot string
}

func newTracer(t *testing.T) *tracer {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err == nil {
		err = exec.Command(strace, "-f", "-o", os.DevNull, "true").Run()
	}
	if err != nil {
		if os.Getenv("ORACLE_REQUIRED") != "" {
			t.Fatalf("strace is needed here: %v", err)
		}
		t.Skipf("strace can't be used (%v): install Debian's package", err)
	}
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	goRoot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	tr := &tracer{strace: strace, goRoot: strings.TrimSpace(string(goRoot)), self: self,
		kiban: filepath.Join(t.TempDir(), "kiban"), home: t.TempDir(), outside: t.TempDir()}
	if err := os.Symlink(self, tr.kiban); err != nil {
		t.Fatal(err)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err == nil {
		err = os.MkdirAll(filepath.Join(tr.home, ".ssh"), 0o700)
	}
	if err == nil { // with a key to log in with, machines are dialled
		err = os.WriteFile(filepath.Join(tr.home, ".ssh", "id_ed25519"), pem.EncodeToMemory(block), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"id", "secret.yaml"} {
		if err := os.WriteFile(filepath.Join(tr.outside, name), []byte(canaryOfTheRunner), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

// run runs one verb in a fleet.
func (tr *tracer) run(t *testing.T, fleet string, args ...string) traced {
	t.Helper()
	record := filepath.Join(t.TempDir(), "trace")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	full := append([]string{"-f", "-qq", "-s", "4096", "-e", "trace=execve,connect,openat", "-e", "signal=none", "-o", record, tr.kiban,
		"--fleet", fleet}, args...)
	cmd := exec.CommandContext(ctx, tr.strace, full...)
	cmd.Dir = fleet
	cmd.Env = []string{"HOME=" + tr.home, "PATH=" + os.Getenv("PATH"), "SHELL=/bin/sh", "KIBAN_GITLAB_TOKEN=" + canaryOfTheRunner,
		"CI_JOB_TOKEN=" + canaryOfTheRunner, "HOME_FILE=" + tr.outside + "/id"}
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("kiban %s does not end: %s", strings.Join(args, " "), out)
	}
	b, failed := os.ReadFile(record)
	if failed != nil {
		t.Fatalf("no record: %v, %v\n%s", failed, err, out)
	}
	got := traced{output: string(out)}
	asked := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		pid, _, _ := strings.Cut(line, " ")
		switch m := tracedExec.FindStringSubmatch(line); {
		case m != nil && filepath.Base(m[2]) == "ssh" && tracedSSH.MatchString(m[3]):
			asked[pid] = true
		case asked[pid]:
		case m != nil:
			got.programs = append(got.programs, m[2])
		case tracedConnect.MatchString(line):
			got.sockets = append(got.sockets, tracedConnect.FindStringSubmatch(line)[1])
		case tracedOpen.MatchString(line):
			got.files = append(got.files, tracedOpen.FindStringSubmatch(line)[1])
		}
	}
	return got
}

// ownFiles are those that any kiban opens: its own program, what the kernel and the system say of themselves, its own folders, and the file
// of a random name in which it spells the site's known_hosts out for the SSH library.
func (tr *tracer) ownFile(file string) bool {
	for _, known := range []string{"/proc/", "/sys/", "/dev/null", "/dev/tty", "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf",
		"/etc/passwd", "/etc/group",
		"/etc/localtime", "/usr/share/zoneinfo", "/usr/local/share/zoneinfo", tr.goRoot + "/lib/time/", "/usr/lib/locale", "/etc/ssl/",
		"/etc/pki/", "/etc/ld.so", "/lib/", "/usr/lib/",
		"/etc/mime.types", "/etc/apache", "/etc/gitconfig", "/etc/machine-id", "/etc/ssh/ssh_config", filepath.Dir(tr.self), "/usr/share/mime/",
		tr.home, filepath.Dir(tr.kiban), filepath.Join(os.TempDir(), "kiban-known-hosts-")} {
		if strings.HasPrefix(file, known) {
			return !strings.HasSuffix(file, "/environ")
		}
	}
	return false
}

// hold holds what was seen to what is allowed: no program, sockets only to declared addresses, files only of the fleet.
func (tr *tracer) hold(t *testing.T, what, fleet string, got traced, declared string) {
	t.Helper()
	if len(got.programs) != 1 || got.programs[0] != tr.kiban {
		t.Errorf("%s starts %q", what, got.programs)
	}
	for _, s := range got.sockets {
		if strings.Contains(s, `"/var/run/nscd/socket"`) {
			continue // the system's own names of users
		}
		m := tracedIPv4.FindStringSubmatch(s)
		if m == nil || declared == "" || !strings.Contains(declared, m[2]) {
			t.Errorf("%s connects to %s", what, s)
		}
	}
	for _, file := range got.files {
		if !filepath.IsAbs(file) {
			file = filepath.Join(fleet, file)
		}
		if rel, err := filepath.Rel(fleet, file); (err != nil || !filepath.IsLocal(rel)) && !tr.ownFile(file) {
			t.Errorf("%s opens %s", what, file)
		}
	}
	if strings.Contains(got.output, canaryOfTheRunner) {
		t.Errorf("%s shows what is the runner's: %s", what, got.output)
	}
}

// copyFleet copies folders; addresses of machines become ones of this machine at which nobody listens.
func copyFleet(t *testing.T, to string, from ...string) {
	t.Helper()
	address := regexp.MustCompile(`(?m)((?:ddress|endpoint):\s*"?(?:https://)?|^)10(\.\d+\.\d+\.\d+)`)
	for _, dir := range from {
		base := filepath.Base(dir)
		if base == "fleet" || base == "over" {
			base = ""
		}
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || d.Name() == "want.txt" {
				return err
			}
			rel, _ := filepath.Rel(dir, path) // it is below it
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			target := filepath.Join(to, base, rel)
			if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
				return err
			}
			return os.WriteFile(target, address.ReplaceAll(b, []byte("${1}127$2")), 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// each runs a function for all names, two at a time.
func each(names []string, do func(string)) {
	var wg sync.WaitGroup
	places := make(chan struct{}, 2)
	for _, name := range names {
		wg.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			do(name)
		})
	}
	wg.Wait()
}

// TestA2_OverlaysAreData runs the verbs that look at a merge request over all example sites, under strace: they start no program, reach
// declared addresses only, and open no file but the fleet's and those that any kiban opens.
func TestA2_OverlaysAreData(t *testing.T) {
	tr := newTracer(t)
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	fleet := filepath.Join(root, "examples")
	copyFleet(t, fleet, filepath.Join("..", "..", "clusters"), filepath.Join("..", "..", "overlays"))
	entries, err := os.ReadDir(filepath.Join(fleet, "overlays"))
	if err != nil {
		t.Fatal(err)
	}
	var sites []string
	for _, e := range entries {
		if e.IsDir() {
			sites = append(sites, e.Name())
		}
	}
	plans := filepath.Join(fleet, "plans")
	if err := os.MkdirAll(plans, 0o755); err != nil {
		t.Fatal(err)
	}
	tr.hold(t, "validate", fleet, tr.run(t, fleet, "validate"), "")
	tr.hold(t, "ci note", fleet, tr.run(t, fleet, append([]string{"ci", "note", "--plans", "plans", "--print"}, sites...)...), "")
	each(sites, func(site string) {
		rendered := tr.run(t, fleet, "render", site)
		tr.hold(t, "render "+site, fleet, rendered, "")
		for _, verb := range [][]string{{"plan", site}, {"status", site}, {"diff", site, "HEAD"}} {
			got := tr.run(t, fleet, verb...)
			tr.hold(t, strings.Join(verb, " "), fleet, got, rendered.output)
			if site == "tokyo-prod" && verb[0] == "plan" && !slices.ContainsFunc(got.sockets, tracedIPv4.MatchString) {
				t.Errorf("the plan dials nobody, so nothing is shown of whom it may dial: %s", got.output)
			}
		}
	})
}

// TestA2_BrokenOverlaysAreData does the same with overlays that are wrong, and with those that try to be more than data.
func TestA2_BrokenOverlaysAreData(t *testing.T) {
	tr := newTracer(t)
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	testdata := filepath.Join("..", "..", "lifecycle", "site", "testdata")
	sample := func(name string) string {
		fleet := filepath.Join(root, name)
		copyFleet(t, fleet, filepath.Join(testdata, "fleet"))
		return fleet
	}
	broken, err := os.ReadDir(filepath.Join(testdata, "broken"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []string
	for _, c := range broken {
		cases = append(cases, c.Name())
	}
	schema, err := os.ReadFile(filepath.Join("..", "..", "lifecycle", "site", "overlay", "schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	// one fleet of them all: each case is a site with a base of its own, and one run reads them
	each(slices.Compact(cases), func(name string) {
		fleet := sample("broken-" + name)
		if err := os.CopyFS(filepath.Join(root, "over-"+name, "over"), os.DirFS(filepath.Join(testdata, "broken", name))); err != nil {
			t.Error(err)
			return
		}
		copyFleet(t, fleet, filepath.Join(root, "over-"+name, "over"))
		if err := os.WriteFile(filepath.Join(fleet, "clusters", "base", "schema.json"), schema, 0o644); err != nil {
			t.Error(err)
			return
		}
		tr.hold(t, "validate of "+name, fleet, tr.run(t, fleet, "validate"), "")
	})
	var asked sync.Map
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			asked.Store(c.RemoteAddr().String(), true)
			c.Close()
		}
	}()
	hostile := hostileOverlays("http://"+listener.Addr().String(), tr.outside)
	var names []string
	for name := range hostile {
		names = append(names, name)
	}
	slices.Sort(names)
	each(names, func(name string) {
		fleet := sample("hostile-" + strings.ReplaceAll(name, " ", "-"))
		if err := os.WriteFile(filepath.Join(fleet, "clusters", "base", "schema.json"), schema, 0o644); err != nil {
			t.Error(err)
			return
		}
		hostile[name](t, filepath.Join(fleet, "overlays", "tokyo"))
		for _, verb := range [][]string{{"validate"}, {"render", "tokyo"}, {"plan", "tokyo"}, {"status", "tokyo"}, {"diff", "tokyo", "HEAD"}} {
			got := tr.run(t, fleet, verb...)
			tr.hold(t, strings.Join(verb, " ")+" of "+name, fleet, got, "")
			if verb[0] == "validate" && !strings.Contains(got.output, "not valid") {
				t.Errorf("%s is valid: %s", name, got.output)
			}
		}
	})
	asked.Range(func(who, _ any) bool { t.Errorf("%v asked the server", who); return true })
	if _, err := os.Stat(filepath.Join(tr.home, "PWNED")); err == nil {
		t.Error("a program of an overlay ran")
	}
}

// hostileOverlays change the overlay of the sample fleet.
func hostileOverlays(url, outside string) map[string]func(*testing.T, string) {
	edit := func(file, old, text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			b, err := os.ReadFile(filepath.Join(dir, file))
			if err == nil {
				if !bytes.Contains(b, []byte(old)) {
					err = fmt.Errorf("%s has no %q", file, old)
				}
				b = bytes.Replace(b, []byte(old), []byte(text), 1)
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, file), b, 0o644)
			}
			if err != nil {
				t.Error(err)
			}
		}
	}
	host := func(field string) func(*testing.T, string) {
		return edit("cluster.yaml", "  - hostname: w-1\n", "  - hostname: w-1\n    "+field+"\n")
	}
	site := func(spec string) func(*testing.T, string) {
		return edit("site.yaml", "spec:\n", "spec:\n  "+spec+"\n")
	}
	kustomization := func(lines string) func(*testing.T, string) {
		return edit("kustomization.yaml", "resources:\n", lines+"\nresources:\n")
	}
	resource := func(entry string) func(*testing.T, string) {
		return edit("kustomization.yaml", "resources:\n", "resources:\n- "+entry+"\n")
	}
	link := func(name, to string, then func(*testing.T, string)) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
				t.Error(err)
			}
			then(t, dir)
		}
	}
	with := func(name, content string, then func(*testing.T, string)) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Error(err)
			}
			then(t, dir)
		}
	}
	const addon = "apiVersion: kiban.dev/v1alpha1\nkind: Addon\nmetadata: {name: web}\n"
	var bomb strings.Builder
	bomb.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nl0: &l0 [a,a,a,a,a,a,a,a,a,a]\n")
	for i := 1; i < 8; i++ {
		fmt.Fprintf(&bomb, "l%[1]d: &l%[1]d [%[2]s*l%[3]d]\n", i, strings.Repeat(fmt.Sprintf("*l%d,", i-1), 9), i-1)
	}
	return map[string]func(*testing.T, string){
		"a proxy command": edit("cluster.yaml", "      address: 127.0.0.4\n",
			"      address: 127.0.0.4\n      options: {ProxyCommand: 'touch $HOME/PWNED'}\n"),
		"a program as k0s":       host("k0sInstallPath: /sbin/reboot"),
		"a key as configuration": host("installFlags: ['--config=/var/lib/k0s/pki/ca.key']"),
		"this machine":           host("localhost: true"),
		"the environment":        site("files: {/etc/x: {on: all, file: /proc/self/environ}}"),
		"a key of the runner":    site("files: {/etc/x: {on: all, file: '" + outside + "/id'}}"),
		"a key by a link":        link("x", outside+"/id", site("files: {/etc/x: {on: all, file: x}}")),
		"a secret file":          site("files: {/etc/x: {on: all, from: {file: '" + outside + "/id'}}}"),
		"a secret variable":      site("files: {/etc/x: {on: all, from: {env: KIBAN_GITLAB_TOKEN}}}"),
		"a secret file variable": site("files: {/etc/x: {on: all, from: {fileEnv: HOME_FILE}}}"),
		"a host's file":          host("files: [{src: '" + outside + "/id', dst: /etc/x}]"),
		"a host's wildcard":      host("files: [{src: '" + outside + "/**/*', dstDir: /etc/x}]"),
		"known hosts":            site("ssh: {knownHosts: '" + outside + "/id'}"),
		"a remote resource":      resource("'" + url + "/x.yaml'"),
		"a remote generator":     kustomization("configMapGenerator: [{name: x, files: ['" + url + "/x']}]"),
		"remote definitions":     kustomization("crds: ['" + url + "/x']"),
		"a remote transformer":   kustomization("transformers: ['" + url + "/x']"),
		"a program as generator": kustomization("generators: [x.yaml]"),
		"a chart of helm":        kustomization("helmCharts: [{name: x, repo: '" + url + "', version: 1.0.0}]"),
		"a repository":           resource("'git@127.0.0.1:x/y.git'"),
		"a resource by a link":   link("x.yaml", outside+"/secret.yaml", resource("x.yaml")),
		"aliases of aliases":     with("x.yaml", bomb.String(), resource("x.yaml")),
		"a kubeconfig by a path": site("provider: external\n  api: {kubeconfig: {file: '" + outside + "/id'}}"),
		"a manifest by its path": with("addon.yaml", addon+"spec: {namespace: web, manifests: ['"+outside+"/secret.yaml']}\n",
			resource("addon.yaml")),
		"a chart by its path": with("addon.yaml", addon+"spec: {namespace: web, chart: {repo: '"+outside+"', name: x, version: 1.0.0}}\n",
			resource("addon.yaml")),
		"the lock file by a link": link("kiban.lock", outside+"/id", func(*testing.T, string) {}),
	}
}
