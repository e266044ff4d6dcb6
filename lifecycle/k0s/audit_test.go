package k0s

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// event is a line of an audit log, with objects as a policy of level RequestResponse has them.
func event(user, agent, at string, deprecated bool) string {
	annotations := `{"authorization.k8s.io/decision":"allow"}`
	if deprecated {
		annotations = `{"authorization.k8s.io/decision":"allow","k8s.io/deprecated":"true","k8s.io/removed-release":"1.37"}`
	}
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"1","stage":"ResponseComplete",`+
		`"requestURI":"/apis/storage.k8s.io/v1beta1/volumeattributesclasses","verb":"create","user":{"username":%q},"userAgent":%q,`+
		`"objectRef":{"resource":"volumeattributesclasses","namespace":"shop","apiGroup":"storage.k8s.io","apiVersion":"v1beta1"},`+
		`"responseStatus":{"code":201},"requestObject":{"note":"a ,\"requestReceivedTimestamp\": of a user's own","password":"hunter2"},`+
		`"responseObject":{"blob":%q},"requestReceivedTimestamp":%q,"stageTimestamp":%q,"annotations":%s}`+"\n",
		user, agent, strings.Repeat("x", 9000), at, at, annotations)
}

func TestAuditCalls(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	path := "/var/log/audit.log"
	s.site.Cluster.Config = []byte(`{"spec":{"api":{"extraArgs":{"audit-log-path":"` + path + `"}}}}`)
	if got := s.AuditCalls(t.Context()); len(got) != 1 || got[0].Name != "c1" || !strings.Contains(got[0].Unknown, "there is no file "+path) {
		t.Errorf("without a file: %+v", got)
	}
	script := auditScript(path)
	for _, want := range []string{"/var/log/audit-*.log", "tail -n 3000"} {
		if !strings.Contains(script, want) {
			t.Errorf("the command lacks %q:\n%s", want, script)
		}
	}
	log := t.TempDir() + "/audit.log"
	s.site.Cluster.Config = []byte(`{"spec":{"api":{"extraArgs":{"audit-log-path":"` + log + `"}}}}`)
	save(t, log, event("jane", "kubectl/v1.36", "2026-11-20T10:00:00.000000Z", true)+
		event("jane", "kubectl/v1.36", "2026-11-20T12:00:00.000000Z", true)+
		event("quiet", "x", "2026-11-20T13:00:00.000000Z", false)+
		event("system:apiserver", "kube-apiserver/v1.36", "2026-11-20T13:00:00.000000Z", true))
	save(t, strings.TrimSuffix(log, ".log")+"-2026-11-19T00-00-00.000.log",
		event("system:serviceaccount:shop:backup", "velero/1.9\u202e", "2026-11-19T10:00:00.000000Z", true))
	got := s.AuditCalls(t.Context())
	if len(got) != 1 || !got[0].Known() || len(got[0].Value) != 2 {
		t.Fatalf("%+v", got)
	}
	jane, velero := got[0].Value[0], got[0].Value[1]
	want := lifecycle.APICall{Group: "storage.k8s.io", Version: "v1beta1", Resource: "volumeattributesclasses", Namespace: "shop",
		User: "jane", Agent: "kubectl/v1.36", Verb: "create", Removed: "1.37", Last: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), Count: 2}
	if jane != want {
		t.Errorf("%+v", jane)
	}
	if strings.ContainsFunc(velero.Agent, lifecycle.Misleads) || velero.User != "system:serviceaccount:shop:backup" {
		t.Errorf("%+v", velero)
	}
	_ = f
}

// TestAuditLogsWithStrangePaths: a path is an overlay's to write, and no shell's to read.
func TestAuditLogsWithStrangePaths(t *testing.T) {
	_, s := bootstrap(t, "c1")
	for _, path := range []string{"-", "/var/log/$(reboot).log", "/var/log/a b", "log", "/var/../etc/shadow", "/var/log/*"} {
		s.site.Cluster.Config = []byte(`{"spec":{"api":{"extraArgs":{"audit-log-path":"` + path + `"}}}}`)
		if got := s.AuditCalls(t.Context()); len(got) != 1 || !strings.Contains(got[0].Unknown, "is no plain path") {
			t.Errorf("%s: %+v", path, got)
		}
	}
}

func TestReadAuditPassesOverWhatIsNone(t *testing.T) {
	line := event("jane", "kubectl", "2026-11-20T10:00:00Z", true)
	for _, text := range []string{"", "\n\n", "{", line[:200], "[]", `{"annotations":{"k8s.io/deprecated":"true"}}`, "grep: binary file matches"} {
		if got := readAudit([]byte(text)); len(got) != 0 {
			t.Errorf("%.40q: %+v", text, got)
		}
	}
	var many strings.Builder
	for i := range 500 {
		many.WriteString(event(fmt.Sprint("u", i), "x", "2026-11-20T10:00:00Z", true))
	}
	if got := readAudit([]byte(many.String())); len(got) != mostCalls {
		t.Errorf("%d calls", len(got))
	}
}

func save(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
