package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const mergeRequestURL = "https://gitlab.example/fleet/-/merge_requests/42"

// reviewed puts the plan as it is now where `kiban ci reviewed` would put it, and gives the command line that goes by it.
func (b *bench) reviewed() (apply []string) {
	b.t.Helper()
	r := b.must(0, b.kiban("plan", "lab", "-o", "json"))
	b.file(filepath.Join(b.dir, "reviewed", "lab.json"), `{"kind":"kiban.dev/reviewed","where":"`+mergeRequestURL+`","plan":`+r.stdout+`}`)
	return []string{"apply", "lab", "--yes", "--reviewed", "reviewed/lab.json", "--result", "result.json"}
}

// outcome is what the last command put into its result.
func (b *bench) outcome() (o struct {
	Kind, Message, Plan, Run string
	ExitCode                 int
	From, Target             string
}) {
	b.t.Helper()
	raw, err := os.ReadFile(filepath.Join(b.dir, "result.json"))
	if err == nil {
		err = json.Unmarshal(raw, &o)
	}
	if err != nil {
		b.t.Errorf("the result: %v\n%s", err, raw)
	}
	return o
}

type reviewedRun struct {
	ID, Who, Result string
	Here            bool
	Review          *struct {
		Plan, Where, AcceptedID string
		Accepted                []string
	}
}

// reviewedRuns are the runs that are known, which exit code 0 says are all of them.
func (b *bench) reviewedRuns() []reviewedRun {
	b.t.Helper()
	return b.runsOf(b.must(0, b.kiban("runs", "lab", "-o", "json")))
}

func (b *bench) runsOf(r result) (out []reviewedRun) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
		b.t.Fatalf("runs -o json: %v\n%s", err, r)
	}
	return out
}

// records is the state of the records that the cluster keeps: another one says that something was written.
func (b *bench) records(cs kubernetes.Interface) string {
	b.t.Helper()
	cm, err := cs.CoreV1().ConfigMaps("kube-system").Get(context.Background(), "kiban-runs", metav1.GetOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	return cm.ResourceVersion
}

// Between the review of a plan and its application a machine is changed by hand: nothing is touched, and what differs is shown. Somebody
// who accepts just that has it carried out, and is on record for it.
func TestReviewedPlan(t *testing.T) {
	t.Parallel()
	b := start(t, "127.231.0", 1, 2)
	b.apply(0)
	cs, _ := b.admin()
	b.Version = v136
	b.write()
	apply := b.reviewed()

	const unit = "/etc/systemd/system/k0sworker.service"
	b.must(0, b.lab("exec", "--dir", ".lab", "worker-1",
		"sed -i 's|^\\(ExecStart=.*\\)$|\\1 --debug=true|' "+unit+" && systemctl daemon-reload"))
	m, before := b.mark(), b.records(cs)
	r := b.must(4, b.kiban(apply...))
	r.says(t, "what would be done is not what was reviewed", "~ worker-1/upgrade", "--debug=true")
	if strings.Contains(r.stderr, "~ worker-2") || strings.Contains(r.stderr, "~ controller-1") {
		t.Errorf("names machines that nobody changed: %s", r)
	}
	id := regexp.MustCompile(`--accept-changes ([0-9a-f]{12})`).FindStringSubmatch(strings.Join(strings.Fields(r.stderr), " "))
	if id == nil {
		t.Fatalf("shows no id: %s", r)
	}
	b.must(4, b.kiban(append(apply, "--accept-changes", "0123456789ab")...)).says(t, "is not about this plan, whose id is "+id[1])
	if err := os.Rename(filepath.Join(b.dir, "reviewed", "lab.json"), filepath.Join(b.dir, "kept.json")); err != nil {
		t.Fatal(err)
	}
	b.must(4, b.kiban(apply...)).says(t, "nobody has reviewed what would be done", "+ worker-2/upgrade")
	if err := os.Rename(filepath.Join(b.dir, "kept.json"), filepath.Join(b.dir, "reviewed", "lab.json")); err != nil {
		t.Fatal(err)
	}
	b.untouched(m, "a plan that nobody reviewed")
	if after := b.records(cs); after != before {
		t.Errorf("a refused apply wrote a record: %s, then %s", before, after)
	}
	if o := b.outcome(); o.Kind != "stale" || o.ExitCode != 4 || o.Run != "" || o.Target != v136 || o.From != v135 {
		t.Errorf("the result: %+v", o)
	}

	b.must(0, b.kiban(append(apply, "--accept-changes", id[1])...))
	b.nodesAt(cs, v136, 2)
	run := b.reviewedRuns()[0]
	if run.Result != "done" || run.Who == "" || run.Review == nil || !strings.HasPrefix(run.Review.Plan, "sha256:") ||
		run.Review.Where != mergeRequestURL || run.Review.AcceptedID != id[1] ||
		!strings.Contains(strings.Join(run.Review.Accepted, "\n"), "worker-1/upgrade") {
		t.Errorf("the record: %+v, %+v", run, run.Review)
	}
	if o := b.outcome(); o.Kind != "done" || o.ExitCode != 0 || o.Run != run.ID {
		t.Errorf("the result: %+v", o)
	}
	for _, told := range []string{b.must(0, b.kiban("runs", "lab")).stdout, b.must(0, b.kiban("show", "latest")).stdout} {
		if !strings.Contains(told, "42") || !strings.Contains(told, "accepted") {
			t.Errorf("does not tell of the review:\n%s", told)
		}
	}

	m, before = b.mark(), b.records(cs)
	b.must(0, b.kiban(apply...))
	b.untouched(m, "an apply of nothing")
	if after := b.records(cs); after != before {
		t.Errorf("an apply of nothing wrote a record: %s, then %s", before, after)
	}
	if o := b.outcome(); o.Kind != "unchanged" || o.Run != "" {
		t.Errorf("the result: %+v", o)
	}
}

// A reviewed bootstrap, and then an upgrade, that are killed at any moment on runners that keep nothing, are brought to their ends by the
// same command: what is left is what was reviewed.
func TestReviewedPlanIsCarriedOn(t *testing.T) {
	t.Parallel()
	b := start(t, "127.232.0", 1, 2)
	first := b.reviewed()
	for i, after := range []time.Duration{2 * time.Second, 5 * time.Second, 4 * time.Second} {
		_, stop := b.background(binary(t, "KIBAN_BIN", "kiban"), first...)
		time.Sleep(after)
		r := stop(os.Kill)
		t.Logf("run %d of the bootstrap killed after %s (%s)", i+1, after, tail(strings.TrimSpace(r.stderr), 160))
		if err := os.RemoveAll(filepath.Join(b.dir, ".kiban", "runs")); err != nil {
			t.Fatal(err)
		}
	}
	b.must(0, b.kiban(first...))
	b.emptyPlan()
	cs, _ := b.admin()
	b.deploy(cs, "web", 2, 1)
	b.Version, b.DrainTimeout = v136, "4m" // kubelets that were long without an API come back to it slowly
	b.write()
	apply := b.reviewed()
	known := 0
	const whenCordoned = 0
	for i, after := range []time.Duration{4 * time.Second, 9 * time.Second, whenCordoned} {
		_, stop := b.background(binary(t, "KIBAN_BIN", "kiban"), apply...)
		if time.Sleep(after); after == whenCordoned {
			b.eventually("a worker has its turn", func() (bool, string) { return b.anyCordoned(cs), "none is cordoned" })
		}
		r := stop(os.Kill)
		t.Logf("run %d killed after %s (%s)", i+1, r.took.Round(time.Second), tail(strings.TrimSpace(r.stderr), 160))
		if r.code == 4 {
			t.Fatalf("what is left passes for another plan: %s", r)
		}
		if err := os.RemoveAll(filepath.Join(b.dir, ".kiban", "runs")); err != nil {
			t.Fatal(err)
		}
		// a run that was killed between stop and start leaves nobody who could be asked for the cluster's records, which `runs` says
		for _, run := range b.runsOf(b.kiban("runs", "lab", "-o", "json")) {
			if run.Result == "no end" && !run.Here && run.Review != nil && run.Review.Where == mergeRequestURL {
				known++
			}
		}
	}
	if known == 0 {
		t.Error("no run that was killed is in the cluster's records")
	}
	r := b.must(0, b.kiban(apply...))
	b.nodesAt(cs, v136, 2)
	b.cordoned(cs)
	b.emptyPlan()
	for _, run := range b.reviewedRuns() {
		if run.Review != nil && len(run.Review.Accepted) > 0 {
			t.Errorf("something had to be accepted: %+v; %s", run.Review, r)
		}
	}
}
