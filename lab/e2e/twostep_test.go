package e2e

import (
	"context"
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// twoStep has the site's control plane soak.
func (b *bench) twoStep(rest string) { b.Spec = "    controlPlane: {soak: " + rest + "}\n" }

// controllersRun asserts what the machines' k0s is, by the site's status.
func (b *bench) controllersRun(version string) {
	b.t.Helper()
	text := b.must(0, b.kiban("status", "lab")).stdout
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 4 && fields[1] == "controller" && fields[4] != version {
			b.t.Errorf("want %s: %s", version, line)
		}
	}
}

// An upgrade in two steps, back, forth again, committed, and the workers: under a prober that loses no request, with an administrator's
// cordon that stays, an empty plan at each resting point, and an object of each leg that all the others keep.
func TestTwoStepUpgradeAndTheWayBack(t *testing.T) {
	for name, tt := range map[string]struct {
		net         string
		controllers int
	}{"three": {"127.125.0", 3}, "one": {"127.126.0", 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, tt.net, tt.controllers, 3)
			b.NodeTimeout, b.Reconnect = "90s", "90s" // it is restarted three times within minutes: proxies come back late
			b.twoStep("1h, commit: manual")
			b.write()
			b.apply(0)
			cs, _ := b.admin()
			b.deploy(cs, "web", 2, 1)
			b.cordonAsAdmin(cs, "worker-2")
			probe := b.probe("web")
			labelled := func(leg string) {
				t.Helper()
				n, err := cs.CoreV1().Namespaces().Get(context.Background(), "default", metav1.GetOptions{})
				if err == nil {
					n.Labels["leg-"+leg] = "there"
					_, err = cs.CoreV1().Namespaces().Update(context.Background(), n, metav1.UpdateOptions{})
				}
				if err != nil {
					t.Fatal(err)
				}
			}

			b.Version = v136
			b.write()
			plan := b.must(0, b.kiban("plan", "lab")).stdout
			for _, want := range []string{"pin the control plane at v1.35", "roll the control plane to " + v136 + ", acting as v1.35",
				"the soak begins"} {
				if !strings.Contains(plan, want) {
					t.Errorf("the plan does not name %q:\n%s", want, plan)
				}
			}
			b.apply(0)
			b.nodesAt(cs, v135, 3)
			b.controllersRun(v136)
			b.emptyPlan()
			labelled("soak")
			if s := b.must(0, b.kiban("status", "lab")); !strings.Contains(s.stdout, "The control plane soaks since") {
				t.Errorf("status does not say that it soaks: %s", s)
			}

			b.must(0, b.kiban("back", "lab", "--yes"))
			b.controllersRun(v135)
			labelled("back")
			b.Version = v135
			b.write()
			b.apply(0)
			b.emptyPlan()

			b.Version = v136
			b.write()
			b.apply(0)
			b.emptyPlan()
			labelled("again")
			b.must(0, b.kiban("commit", "lab", "--yes"))
			if r := b.must(1, b.kiban("back", "lab", "--yes")); !strings.Contains(r.stderr, "was committed to "+v136) ||
				!strings.Contains(r.stderr, "kiban restore lab --from") {
				t.Errorf("after the commit it does not say what is left: %s", r)
			}
			b.apply(0)
			b.nodesAt(cs, v136, 3)
			b.emptyPlan()
			b.cordoned(cs, "worker-2")
			sent, failed := probe()
			t.Logf("requests: %d, failed: %d", sent, failed)
			if failed != 0 || sent < 200 {
				t.Errorf("%d of %d requests failed", failed, sent)
			}
			n, err := cs.CoreV1().Namespaces().Get(context.Background(), "default", metav1.GetOptions{})
			for _, leg := range []string{"soak", "back", "again"} {
				if err != nil || n.Labels["leg-"+leg] != "there" {
					t.Errorf("what was written in %q is lost: %v, %v", leg, n.Labels, err)
				}
			}
		})
	}
}

// A controller that was started without its pin in the soak: kiban says so, goes back no more, and touches nothing.
func TestStartWithoutThePinIsSeen(t *testing.T) {
	t.Parallel()
	b := start(t, "127.127.0", 1, 1)
	b.NodeTimeout = "90s"
	b.twoStep("1h, commit: manual")
	b.write()
	b.apply(0)
	b.Version = v136
	b.write()
	b.apply(0)
	b.must(0, b.lab("exec", "--dir", ".lab", "controller-1",
		"cp /etc/k0s/k0s.yaml /root/kept && sed -i -e /emulated-version/d /etc/k0s/k0s.yaml && systemctl restart k0scontroller && sleep 2 && "+
			"cp /root/kept /etc/k0s/k0s.yaml && systemctl restart k0scontroller"))
	b.eventually("the API is back", func() (bool, string) {
		r := b.kiban("status", "lab")
		return strings.Contains(r.stdout, "ontrol plane soaks"), r.stdout + r.stderr
	})
	m := b.mark()
	r := b.must(1, b.kiban("back", "lab", "--yes"))
	if !strings.Contains(r.stderr, "was written after its k0s had changed") || !strings.Contains(r.stderr, "kiban restore lab --from") {
		t.Errorf("it does not say why, or what is left: %s", r)
	}
	b.untouched(m, "a refused way back")
	if r := b.kiban("plan", "lab"); !strings.Contains(r.stdout, "can no longer go back") {
		t.Errorf("the plan does not say that the way back is gone: %s", r)
	}
}

// Killed between any two commands of the pin, the roll and the way back, the same command ends where it would have.
func TestTwoStepsSurviveKills(t *testing.T) {
	t.Parallel()
	b := start(t, "127.124.0", 1, 1)
	b.NodeTimeout = "90s"
	b.twoStep("1h, commit: manual")
	b.write()
	b.apply(0)
	b.Version = v136
	b.write()
	for range 4 { // the pin's stop and start, and the roll's
		b.killedInARestart("apply")
	}
	b.must(0, b.kiban("apply", "lab", "--yes", "--lock-timeout", "2m"))
	b.emptyPlan()
	b.controllersRun(v136)
	for range 2 {
		b.killedInARestart("back")
	}
	b.Version = v135
	b.write()
	b.must(0, b.kiban("apply", "lab", "--yes", "--lock-timeout", "2m"))
	b.emptyPlan()
	b.controllersRun(v135)
}

// killedInARestart kills a verb as soon as it has stopped or started the controller.
func (b *bench) killedInARestart(verb string) {
	b.t.Helper()
	m := b.mark()
	_, stop := b.background(binary(b.t, "KIBAN_BIN", "kiban"), verb, "lab", "--yes", "--lock-timeout", "2m")
	b.eventually("the controller stops or starts", func() (bool, string) {
		c := b.changes(m)
		return strings.Contains(c, "controller-1 st"), c
	})
	stop(os.Kill)
}
