package k0s

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/observe"
	"kiban.dev/kiban/lifecycle/plan"
	"kiban.dev/kiban/lifecycle/render"
)

// lyingSite is a site of one controller and one worker, one of whom lies.
func lyingSite() lifecycle.Site {
	file := lifecycle.HostFile{Path: "/etc/app/a b", Digest: digest([]byte("x")), Content: []byte("x"), Mode: "0600", Owner: "root",
		Group: "root"}
	host := func(name string, role lifecycle.Role, last int) lifecycle.Host {
		return lifecycle.Host{Name: name, Role: role, Address: fmt.Sprintf("10.0.0.%d", last), Arguments: []string{"--data-dir=/var/lib/k0s"},
			Files: []lifecycle.HostFile{file}}
	}
	version, _ := lifecycle.ParseVersion(v135)
	site := lifecycle.Site{Name: "tokyo", Cluster: lifecycle.Cluster{Version: version,
		Hosts: []lifecycle.Host{host("c1", lifecycle.RoleController, 11), host("w1", lifecycle.RoleWorker, 12)}}}
	site.Cluster.Hosts[0].Config = []byte(`{"apiVersion":"k0s.k0sproject.io/v1beta1","kind":"ClusterConfig","spec":{"api":{"sans":["a"]}}}`)
	site.Cluster.Hosts[0].ConfigDigest = digest(site.Cluster.Hosts[0].Config)
	return site
}

// heard is what one host of the site is taken to have said, read as the session reads it: in pieces, bounded, and taken apart. @@ stands
// for the nonce, which a machine knows, for it is asked with it.
func heard(t testing.TB, host lifecycle.Host, said []byte) facts {
	t.Helper()
	said = bytes.ReplaceAll(said, []byte("@@"), []byte(nonce))
	from := &answer{limit: maxAnswer}
	for rest := said; len(rest) > 0; {
		n, _ := from.Write(rest[:min(len(rest), 32<<10)]) // it never fails
		rest = rest[n:]
	}
	f := parseFacts(from.bytes(), question{host: host, paths: paths{data: defaultDataDir}, nonce: nonce})
	f.host.Name = host.Name
	return f
}

type lying struct{ facts lifecycle.MachineFacts }

func (l lying) Facts(context.Context) (lifecycle.MachineFacts, error) { return l.facts, nil }

// shown is all that people and programs get to see of a site whose hosts said that: status, the findings, the plan, in each form.
func shown(t testing.TB, site lifecycle.Site, heard []facts) string {
	t.Helper()
	var all lifecycle.MachineFacts
	for i, f := range heard {
		all.Hosts = append(all.Hosts, f.host)
		if all.Credentials.IsZero() {
			all.Credentials = f.credentials
		}
		if site.Cluster.Hosts[i].Role.IsController() && f.etcd != nil {
			all.Etcd.Members = f.etcd
		}
	}
	connect := func(lifecycle.Credentials) (observe.API, error) { return nil, errors.New("the API is silent") }
	state, err := observe.Observe(t.Context(), site, lying{all}, connect, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Make(site, state, lifecycle.PlanOptions{})
	var out bytes.Buffer
	w := render.NewWriter(&out)
	problems := observe.Problems(site, state)
	asJSON := func(v any) error {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		_, err = w.Write(lifecycle.HarmlessJSON(b))
		return err
	}
	if err := errors.Join(render.StatusText(w, site, state, problems, render.Style{}), render.PlanText(w, site, p, render.Style{}),
		render.PlanMarkdown(w, site, p), render.NodesText(w, site, state, render.Style{}), asJSON(state), asJSON(p), w.Flush()); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(&out, state.FactsDigest())
	return out.String()
}

// mostOf bounds what is kept of a host, whatever it says: its configuration is the largest part, and is compared as a whole.
const (
	mostKept  = 6 << 20
	mostShown = 16 << 20
)

// wantBounded holds that no text of a host is longer than a line of the script's, but for its configuration and its findings.
func wantBounded(t *testing.T, v reflect.Value, name string) (total int) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		if v.Len() > maxFact && !strings.HasSuffix(name, ".Arguments") {
			t.Errorf("%s has %d bytes", name, v.Len())
		}
		return v.Len()
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return v.Len()
		}
		if v.Len() > maxArguments {
			t.Errorf("%s has %d entries", name, v.Len())
		}
		for i := range v.Len() {
			total += wantBounded(t, v.Index(i), name)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				total += wantBounded(t, v.Field(i), name+"."+v.Type().Field(i).Name)
			}
		}
	}
	return total
}

// FuzzHost: a host that answers anything, from the reader of its answer to what is shown. Nothing panics, nothing grows, nothing steers a
// terminal, and what it says makes nobody start a program or read a file: all that leaves the reader is a State and credentials, and those
// come of a declared controller only, are certificates and a key, and hold no way to do anything.
func FuzzHost(f *testing.F) {
	seed := func(parts ...string) []byte { return bytes.ReplaceAll(said(parts...), []byte(nonce), []byte("@@")) }
	running := "service<0>ActiveState=active\nSubState=running\nActiveEnterTimestamp=Sat 2026-11-21 21:11:37 UTC\nNRestarts=3\n"
	for _, admin := range []string{adminConf(f), adminConf(f) + "    exec: {command: sh, args: [-c, touch /tmp/owned]}\n",
		adminConf(f) + "    tokenFile: /etc/passwd\n", "a: &a [x]\nb: [*a, *a]\n"} {
		f.Add(seed("unit=k0scontroller", running, "kubeconfig<0>"+admin, "version<0>"+v135, "status<0>"+statusWorker,
			`etcd<0>{"members":{"c1":"https://10.0.0.11:2380"}}`, "config<0>spec: {api: {sans: [b]}}\n"))
	}
	f.Add(seed("unit=k0sworker", running, "hostname=\x1b[2J\u202e", "restored=\x1b]0;x\a", "server=https://u:p@10.6.6.6/?x",
		"unitfile<0>ExecStart=/k0s worker --x=\\x1b[31m --kubelet-extra-args=\"--a b\"\n",
		"status<0>"+strings.Replace(statusWorker, "worker", `\u001b[2J`, 1)))
	f.Add(seed("clock=9223372036854775807", "service<0>ActiveState=active\nNRestarts=99999999999999999999",
		"free<0>x\n/dev 1 1 9223372036854775807 1% /"))
	f.Add(seed("staged=v9999.9999.9999+k0s.9999", "former=v0.0.0+k0s.0", "unit=../../x",
		"file="+strings.Repeat("0", 64)+" 600 0 0 root root /etc/app/a b"))
	f.Add(seed("config<0>a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n" +
		"c: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]\n"))
	f.Add([]byte("@@ facts=1\n@@ begin config\n"))
	f.Add([]byte("@@ epoch 7\n@@ held r1 3 1795295497 7\n{\"who\":\"\u001b[2J\",\"doing\":\"apply\"}\n@@ none"))
	f.Add([]byte("@@ held " + strings.Repeat("r", 4096) + " 99999999999999999999 x\n{}\n@@ none"))
	site := lyingSite()
	f.Fuzz(func(t *testing.T, answer []byte) {
		controller, worker := heard(t, site.Cluster.Hosts[0], answer), heard(t, site.Cluster.Hosts[1], answer)
		if !worker.credentials.IsZero() || worker.etcd != nil || worker.host.Config != nil {
			t.Errorf("a worker was believed to be a controller: %+v", worker)
		}
		if c := controller.credentials; c.Kubeconfig != nil {
			t.Error("a host's kubeconfig came through as it is")
		} else if !c.IsZero() {
			if _, err := readBack(c); err != nil {
				t.Errorf("credentials that are none came through: %v", err)
			}
		}
		for _, f := range []facts{controller, worker} {
			if f.host.Problem == "" && !bytes.Contains(answer, []byte("@@ done=1")) && !bytes.Contains(answer, []byte(nonce+" done=1")) {
				t.Error("facts were taken from an answer that broke off")
			}
			if n := wantBounded(t, reflect.ValueOf(f.host), "HostState"); n > mostKept {
				t.Errorf("%d bytes are kept of an answer of %d", n, len(answer))
			}
		}
		if l, err := parseHostLock(strings.ReplaceAll(string(answer), "@@", nonce), nonce, "/run/kiban on c1"); err == nil &&
			wantBounded(t, reflect.ValueOf(l), "Lock") > 8*maxFact {
			t.Errorf("a lock of %d bytes: %+v", len(answer), l)
		}
		out := shown(t, site, []facts{controller, worker})
		if i := strings.IndexFunc(out, lifecycle.Misleads); i >= 0 {
			t.Errorf("%q would steer a terminal", out[max(0, i-40):min(len(out), i+40)])
		}
		if !utf8.ValidString(out) || len(out) > mostShown {
			t.Errorf("%d bytes are shown of an answer of %d, as text: %v", len(out), len(answer), utf8.ValidString(out))
		}
	})
}

// readBack writes credentials as k0s would, and reads them.
func readBack(c lifecycle.Credentials) (lifecycle.Credentials, error) {
	return readCredentials(fields{"certificate-authority-data": base64Of(c.Authority)},
		fields{"client-certificate-data": base64Of(c.Certificate), "client-key-data": base64Of(c.Key)})
}
