package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lab/fleet"
)

// soak is how long staging must have run a version in these tests.
const soak = 30 * time.Second

// promoted is a fleet of two labs: the site lab, which waits for the site staging.
type promoted struct {
	*bench  // lab's, whose folder is the fleet's
	staging *bench
	site    fleet.Site // staging's
}

func startPromoted(t *testing.T) *promoted {
	t.Helper()
	p := &promoted{bench: start(t, "127.234.5", 1, 1), staging: start(t, "127.233.0", 1, 1)}
	p.Spec = fmt.Sprintf("  wave: 2\n  promotion: {from: [staging], soak: %s}\n", soak)
	p.write()
	p.site = p.staging.Site
	p.site.Name, p.site.Spec = "staging", "  wave: 1\n"
	p.stage(v135)
	allowLocal(t, p.dir, filepath.Join(p.staging.dir, ".lab"))
	return p
}

// stage declares staging's version.
func (p *promoted) stage(version string) {
	p.t.Helper()
	p.site.Version = version
	if err := p.site.Write(p.dir); err != nil {
		p.t.Fatal(err)
	}
	for _, file := range []string{"site.yaml", "cluster.yaml"} { // its lab is elsewhere
		path := filepath.Join(p.dir, "overlays", "staging", file)
		b, err := os.ReadFile(path)
		if err != nil {
			p.t.Fatal(err)
		}
		p.file(path, strings.ReplaceAll(string(b), "../../.lab", filepath.Join(p.staging.dir, ".lab")))
	}
}

type keptSoak struct {
	Healthy  bool
	Reason   string
	Versions []struct {
		Name, Version  string
		Since, Longest any
		Runs           bool
	}
}

// account is what `ci soak` says of staging.
func (p *promoted) account(args ...string) (s keptSoak) {
	p.t.Helper()
	r := p.must(0, p.kiban(append([]string{"ci", "soak", "staging", "-o", "json"}, args...)...))
	if err := json.Unmarshal([]byte(r.stdout), &s); err != nil {
		p.t.Fatalf("ci soak: %v\n%s", err, r)
	}
	p.file(filepath.Join(p.dir, "soak", "staging.json"), r.stdout)
	return s
}

// Production takes a version when staging has run it, healthy, for its soak time, and not before.
func TestPromotion(t *testing.T) {
	t.Parallel()
	p := startPromoted(t)
	// a cluster that is yet to be set up takes a version, too
	p.must(3, p.kiban("ci", "gate", "lab")).says(t, "staging has never run k0s "+v135)
	p.must(0, p.kiban("apply", "staging", "--yes"))
	p.apply(0)
	if r := p.must(0, p.kiban("ci", "gate", "lab")); !strings.Contains(r.stdout, "nothing has to be waited for") {
		t.Errorf("gate: %s", r)
	}

	p.Version = v136
	p.write()
	r := p.must(3, p.kiban("ci", "gate", "lab"))
	r.says(t, "staging has never run k0s "+v136)

	p.stage(v136)
	p.must(0, p.kiban("apply", "staging", "--yes"))
	since := time.Now()
	if s := p.account(); !s.Healthy || len(s.Versions) != 2 || s.Versions[0].Version != v136 || !s.Versions[0].Runs ||
		s.Versions[1].Version != v135 || s.Versions[1].Runs {
		t.Errorf("after the upgrade: %+v", s)
	}
	r = p.must(3, p.kiban("ci", "gate", "lab", "--soak", "soak"))
	r.says(t, "staging has run k0s "+v136+", healthy, for ", "of 30s", "at the earliest")

	// Looking records nothing, and says the same whether the site is asked or its evidence is read.
	marks, before := [...]string{p.mark(), p.staging.mark()}, p.soakVersion()
	time.Sleep(time.Until(since.Add(soak + 2*time.Second)))
	p.must(3, p.kiban("ci", "gate", "lab", "--soak", "soak")).says(t, "of 30s") // what was not seen since does not count
	if r := p.must(0, p.kiban("ci", "gate", "lab")); !strings.Contains(r.stdout, "met: staging has run k0s "+v136) {
		t.Errorf("gate: %s", r)
	}
	p.account()
	p.must(0, p.kiban("ci", "gate", "lab", "--soak", "soak"))
	if after := p.soakVersion(); after != before {
		t.Errorf("looking wrote the record: resource version %s, then %s", before, after)
	}
	p.untouched(marks[0], "ci gate")
	p.staging.untouched(marks[1], "ci gate")
	p.account("--record")
	if after := p.soakVersion(); after == before {
		t.Error("--record did not write the record")
	}

	// A break holds production up, however long it went well before; it goes on from its best stretch when staging is well again.
	p.staging.fault("worker-1", "never-ready")
	p.staging.restartWorker()
	p.eventually("staging's worker is not Ready", func() (bool, string) {
		s := p.account()
		return strings.Contains(s.Reason, "node worker-1 is not Ready"), fmt.Sprint(s)
	})
	p.account("--record")
	p.must(3, p.kiban("ci", "gate", "lab", "--soak", "soak")).
		says(t, "staging runs k0s "+v136+", and is not healthy: ", "node worker-1 is not Ready")
	p.staging.mend("worker-1")
	p.staging.restartWorker()
	p.eventually("staging's worker is Ready", func() (bool, string) {
		s := p.account("--record")
		return s.Healthy, fmt.Sprint(s)
	})
	p.must(0, p.kiban("ci", "gate", "lab", "--soak", "soak"))

	// A staging that can't be asked is not known to be well.
	p.staging.fault("worker-1", "off")
	p.must(3, p.kiban("ci", "gate", "lab")).says(t, "staging runs k0s "+v136+", and is not healthy: worker-1 is not known")
	p.staging.mend("worker-1")

	p.apply(0)
	if r := p.must(0, p.kiban("ci", "gate", "lab")); !strings.Contains(r.stdout, "nothing has to be waited for") {
		t.Errorf("gate: %s", r)
	}
}

func (b *bench) restartWorker() {
	b.t.Helper()
	b.must(0, b.lab("exec", "--dir", ".lab", "worker-1", "systemctl restart k0sworker"))
}

// soakVersion is the state of the record in staging's cluster.
func (p *promoted) soakVersion() string {
	p.t.Helper()
	r := p.must(0, p.staging.lab("kubectl", "--dir", ".lab", "--", "-n", "kube-system", "get", "configmap", "kiban-soak", "-o", "json"))
	var cm metav1.PartialObjectMetadata
	if err := json.Unmarshal([]byte(r.stdout), &cm); err != nil {
		p.t.Fatalf("%v: %s", err, r)
	}
	return cm.ResourceVersion
}
