package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// inbox is a webhook's receiver.
type inbox struct {
	*httptest.Server
	mu    sync.Mutex
	texts []string
}

func newInbox(t *testing.T) *inbox {
	in := &inbox{}
	in.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct{ Text string }
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		in.mu.Lock()
		defer in.mu.Unlock()
		in.texts = append(in.texts, m.Text)
	}))
	t.Cleanup(in.Close)
	return in
}

// tell runs `kiban ci tell lab` as a job of its own does: in a clone that has nothing of a former one's. It gives the messages that
// arrived.
func (b *bench) tell(in *inbox, job string, args ...string) []string {
	b.t.Helper()
	before := len(in.texts)
	address := in.URL + "/services/T0/B0/x8Zq"
	if err := os.RemoveAll(filepath.Join(b.dir, ".kiban", "told")); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(b.t, "KIBAN_BIN", "kiban"), append([]string{"ci", "tell", "lab"}, args...)...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "KIBAN_WEBHOOK="+address, "GITLAB_CI=true", "GITLAB_USER_LOGIN=ann", "CI_COMMIT_SHA=0123456789abcdef",
		"CI_JOB_URL=https://gitlab.example.com/-/jobs/"+job)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "x8Zq") {
		b.t.Fatalf("tell %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.texts) == before && !strings.Contains(string(out), "Not told to the webhook: ") {
		b.t.Errorf("tell %s: nothing was told, and not said why: %s", strings.Join(args, " "), out)
	}
	return in.texts[before:]
}

// told wants that much of one message, or none for "".
func (b *bench) told(got []string, want string) {
	b.t.Helper()
	if want == "" && len(got) != 0 || want != "" && (len(got) != 1 || !strings.Contains(got[0], want)) {
		b.t.Errorf("told %q, want %q", got, want)
	}
}

// Each job that tells is run twice: people hear of a run, a failure and a drift once, and once that it is over.
func TestPeopleAreToldOnce(t *testing.T) {
	t.Parallel()
	b := start(t, "127.246.0", 1, 1)
	in := newInbox(t)
	twice := func(want string, args ...string) {
		t.Helper()
		b.told(b.tell(in, "1", args...), want)
		b.told(b.tell(in, "2", args...), "")
	}
	apply := func(code int, result string) string {
		t.Helper()
		b.must(code, b.kiban("apply", "lab", "--yes", "--result", result))
		return result
	}
	look := func(name string) string {
		t.Helper()
		b.file(filepath.Join(b.dir, name), b.must(0, b.kiban("plan", "lab", "-o", "json")).stdout)
		return name
	}

	b.apply(0)
	b.Version, b.NodeTimeout = v136, "15s"
	b.write()
	twice("k0s `"+v135+"` → `"+v136+"`", "started", "--plan", look("upgrade.json"))

	// The upgrade fails on the worker, which gets its former version back, and fails in the same way when it is tried again.
	b.fault("worker-1", "crash", v136)
	twice("apply failed", "ended", "--result", apply(1, "failed.json"))
	twice("", "ended", "--result", apply(1, "again.json"))
	b.mend("worker-1")
	b.fault("worker-1", "off")
	twice("apply is blocked", "ended", "--result", apply(3, "off.json")) // another failure
	b.mend("worker-1")
	twice("apply ended without a result", "ended", "--result", "none.json")

	twice("applied", "ended", "--result", apply(0, "done.json"))
	twice("", "ended", "--result", apply(0, "unchanged.json"))
	twice("", "drift", "--plan", look("well.json"))

	b.Config = "        telemetry:\n          enabled: true\n"
	b.write()
	twice("is not what the repository declares", "drift", "--plan", look("drift.json"))
	b.Config = ""
	b.write()
	twice("the drift is gone", "drift", "--plan", look("gone.json"))

	cs, _ := b.admin()
	cm, err := cs.CoreV1().ConfigMaps("kube-system").Get(context.Background(), "kiban-told", metav1.GetOptions{})
	if err != nil || len(cm.Data) != 3 { // the start, the end, and that the drift is gone
		t.Errorf("the cluster remembers %v, %v", cm, err)
	}
	b.emptyPlan()

	// A cluster that does not answer keeps nobody from being told for long.
	b.fault("controller-1", "ssh-hang")
	began := time.Now()
	b.told(b.tell(in, "6", "ended", "--result", "failed.json"), "apply failed")
	if took := time.Since(began); took > 2*time.Minute {
		t.Errorf("it took %s to tell", took)
	}
	b.mend("controller-1")
}
