package readiness

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestEtcd: what etcd's members say of themselves becomes findings; a healthy etcd gives none, and one that did not say is not called well.
func TestEtcd(t *testing.T) {
	const mib = 1 << 20
	well := lifecycle.EtcdStatus{Version: "3.6.14", Size: 90 * mib, InUse: 40 * mib, Quota: 2048 * mib, Since: time.Hour, LeaderChanges: 3,
		Fsyncs: 5000, SlowFsyncs: 3}
	for name, c := range map[string]struct {
		change func(e *lifecycle.EtcdStatus)
		want   string // rank, rule and summary; "": nothing
		remedy string
	}{
		"well":                  {func(*lifecycle.EtcdStatus) {}, "", ""},
		"just below both marks": {func(e *lifecycle.EtcdStatus) { e.Size, e.InUse = 1638*mib, 1638*mib*56/100 }, "", ""},
		"hollow": {func(e *lifecycle.EtcdStatus) { e.Size, e.InUse = 200*mib, 100*mib },
			"needs attention etcd-space etcd's file is hollow for a good part",
			"kiban maintain etcd tokyo"},
		"nearly full of data": {func(e *lifecycle.EtcdStatus) { e.Size, e.InUse = 1700*mib, 1650*mib },
			"needs attention etcd-space etcd's file has used up more than 80 % of its quota", "quota-backend-bytes"},
		"nearly full, and hollow": {func(e *lifecycle.EtcdStatus) { e.Size, e.InUse = 1700*mib, 1400*mib },
			"needs attention etcd-space etcd's file has used up more than 80 % of its quota", "kiban maintain etcd tokyo"},
		"an alarm": {func(e *lifecycle.EtcdStatus) { e.Size, e.Alarms = 2048*mib, []string{lifecycle.EtcdNoSpace} },
			"blocks etcd-space etcd is out of space and takes no writes (alarm NOSPACE)", "kiban maintain etcd tokyo"},
		"corrupt": {func(e *lifecycle.EtcdStatus) { e.Alarms = []string{lifecycle.EtcdCorrupt} },
			"blocks etcd-corrupt the data of etcd's members differ (alarm CORRUPT)", "kiban node remove tokyo CONTROLLER"},
		"no leader": {func(e *lifecycle.EtcdStatus) { e.Leaderless = true }, "blocks etcd-membership etcd has no leader",
			"kiban node logs tokyo c1"},
		"a learner for long": {func(e *lifecycle.EtcdStatus) { e.Learner = true },
			"needs attention etcd-membership its etcd member has no vote", ""},
		"a learner that joins": {func(e *lifecycle.EtcdStatus) { e.Learner, e.Since = true, time.Minute }, "", ""},
		"a slow disk": {func(e *lifecycle.EtcdStatus) { e.SlowFsyncs = 51 },
			"needs attention etcd-pace the disk is too slow for etcd", ""},
		"restless": {func(e *lifecycle.EtcdStatus) { e.LeaderChanges = 9 },
			"needs attention etcd-pace etcd changes its leader often", ""},
	} {
		e := well
		c.change(&e)
		site := lifecycle.Site{Name: "tokyo"}
		got := lookAtEtcd(Input{Site: site, State: lifecycle.State{Hosts: []lifecycle.HostState{{Name: "c1", Etcd: &e}, {Name: "w1"}}}})
		var found, remedy []string
		for _, f := range got.Findings {
			found, remedy = append(found, fmt.Sprintf("%s %s %s", f.Rank, f.Rule, f.Summary)), append(remedy, f.Remedy)
		}
		if strings.Join(found, "; ") != c.want || !strings.Contains(strings.Join(remedy, "; "), c.remedy) {
			t.Errorf("%s: %q, %q", name, found, remedy)
		}
		if len(got.Unseen) > 0 || !slices.Contains(got.Looked, "etcd's room, alarms and pace on 1 controller") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	silent := lookAtEtcd(Input{State: lifecycle.State{Hosts: []lifecycle.HostState{{Name: "c1",
		Etcd: &lifecycle.EtcdStatus{Unknown: "curl: it is not installed there"}}}}})
	if silent.Unseen[0].Remedy != "Install curl on c1: kiban asks etcd on the machine itself, with it." {
		t.Errorf("without curl: %q", silent.Unseen[0].Remedy)
	}
	if silent.IsReady() || len(silent.Findings) > 0 || !strings.Contains(silent.Unseen[0].Why, "curl: it is not installed") {
		t.Errorf("%+v", silent)
	}
	slow := well
	slow.PaceUnknown = "curl: (28) Operation timed out"
	halfSilent := lookAtEtcd(Input{State: lifecycle.State{Hosts: []lifecycle.HostState{{Name: "c1", Etcd: &slow},
		{Name: "c2", Etcd: &well}}}})
	if remedy := halfSilent.Unseen[0].Remedy; !strings.Contains(remedy, "kiban node logs  c1") || strings.Contains(remedy, "Install") {
		t.Errorf("metrics that hang: %q", remedy)
	}
	if halfSilent.IsReady() || !strings.Contains(halfSilent.Unseen[0].What, "how quick") || len(halfSilent.Unseen) != 1 ||
		!slices.Contains(halfSilent.Looked, "etcd's room and alarms on 2 controllers") {
		t.Errorf("metrics that hang: %+v", halfSilent)
	}
	never := lookAtEtcd(Input{State: lifecycle.State{Etcd: lifecycle.EtcdState{Members: []lifecycle.EtcdMember{{PeerAddress: "10.0.0.3"}}}}})
	if len(never.Findings) != 1 || !strings.Contains(never.Findings[0].Summary, "never started: at 10.0.0.3") {
		t.Errorf("%+v", never)
	}
}

// lookAtEtcd is what the rule of etcd says alone.
func lookAtEtcd(in Input) lifecycle.Readiness {
	r := &report{}
	etcd(in, r)
	return r.Readiness
}
