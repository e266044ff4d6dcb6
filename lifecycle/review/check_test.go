package review

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func version(t *testing.T, s string) lifecycle.Version {
	t.Helper()
	v, err := lifecycle.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// bump is a plan that upgrades a controller and two workers, and an addon.
func bump(t *testing.T) lifecycle.Plan {
	from, to := version(t, "v1.35.7+k0s.0"), version(t, "v1.36.3+k0s.2")
	p := lifecycle.Plan{Format: lifecycle.PlanFormat, Site: "lab", ClusterUID: "uid", SiteDigest: "sha256:site", FactsDigest: "sha256:facts",
		Target: to, Hops: []lifecycle.Version{to},
		Stages: []lifecycle.Stage{{ID: "addons", Width: 1}, {ID: "backup", Width: 1}, {ID: "controllers", Width: 1}, {ID: "workers", Width: 2}}}
	add := func(stage, target string, a lifecycle.Action, edit ...func(*lifecycle.Step)) {
		s := lifecycle.Step{ID: target + "/" + string(a), Stage: stage, Target: target, Action: a, Reason: "because"}
		for _, e := range edit {
			e(&s)
		}
		p.Steps = append(p.Steps, s)
	}
	upgrade := func(s *lifecycle.Step) { s.From, s.Version, s.Disrupts = from, to, true }
	ref := func(name string) lifecycle.ObjectRef {
		return lifecycle.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: name}
	}
	add("addons", "addon/shop", lifecycle.ActionApply, func(s *lifecycle.Step) {
		s.Digest, s.Chart = "sha256:shop", "1.0.0 -> 1.1.0"
		s.Objects = []lifecycle.ObjectChange{{ObjectRef: ref("db"), Change: lifecycle.ChangeCreate},
			{ObjectRef: ref("web"), Change: lifecycle.ChangeUpdate,
				Fields: []lifecycle.FieldChange{{Field: "spec.image", From: "web:1", To: "web:2"}, {Field: "spec.replicas", From: "1", To: "2"}}}}
	})
	add("backup", "", lifecycle.ActionBackup)
	p.Steps[1].ID = "cluster/backup"
	add("controllers", "c1", lifecycle.ActionUpgrade, upgrade, func(s *lifecycle.Step) { s.Changes = []string{"+ --profile=gpu"} })
	for _, w := range []string{"w1", "w2"} {
		add("workers", w, lifecycle.ActionUpload, func(s *lifecycle.Step) { s.Version = to })
		add("workers", w, lifecycle.ActionCordon, func(s *lifecycle.Step) {
			s.Before = []lifecycle.Gate{{Kind: lifecycle.GateNodesReady}}
		})
		add("workers", w, lifecycle.ActionDrain)
		add("workers", w, lifecycle.ActionUpgrade, upgrade, func(s *lifecycle.Step) {
			s.OnFailure = []lifecycle.Step{{ID: w + "/restore-former", Target: w, Action: lifecycle.ActionRestoreFormer, Version: from, From: to}}
		})
		add("workers", w, lifecycle.ActionUncordon)
	}
	return p
}

// drop takes the steps away that match.
func drop(p *lifecycle.Plan, match func(lifecycle.Step) bool) {
	p.Steps = slices.DeleteFunc(p.Steps, match)
}

func TestCheck(t *testing.T) {
	on := func(target string) func(lifecycle.Step) bool {
		return func(s lifecycle.Step) bool { return s.Target == target }
	}
	is := func(id string) func(lifecycle.Step) bool {
		return func(s lifecycle.Step) bool { return s.ID == id }
	}
	at := func(p *lifecycle.Plan, id string) *lifecycle.Step {
		return &p.Steps[slices.IndexFunc(p.Steps, is(id))]
	}
	more := func(p *lifecycle.Plan, target string, a lifecycle.Action, v lifecycle.Version) *lifecycle.Step {
		p.Steps = append(p.Steps, lifecycle.Step{ID: target + "/" + string(a), Stage: "repair", Target: target, Action: a, Version: v,
			Reason: "it was cut off"})
		return &p.Steps[len(p.Steps)-1]
	}
	from, to, other := version(t, "v1.35.7+k0s.0"), version(t, "v1.36.3+k0s.2"), version(t, "v1.36.4+k0s.0")
	for name, tt := range map[string]struct {
		reviewed func(p *lifecycle.Plan)
		now      func(p *lifecycle.Plan)
		begun    bool
		want     []string // none: it may go
	}{
		"the same meaning": {now: func(p *lifecycle.Plan) {
			p.SiteDigest, p.FactsDigest, p.Revision = "sha256:a", "sha256:b", "c0ffee"
			p.Steps[0].Reason, p.Steps[3].Timeout = "said otherwise", 5
		}},
		"nothing to do": {now: func(p *lifecycle.Plan) { p.Steps = nil; p.Target = other }},
		"another order": {now: func(p *lifecycle.Plan) { p.Steps[2], p.Steps[3] = p.Steps[3], p.Steps[2] },
			want: []string{"the order or the pace"}},
		"faster": {now: func(p *lifecycle.Plan) { p.Stages[3].Width = 0 },
			want: []string{"going 2 at once was planned, it would be all now"}},
		"a node upgraded by hand": {now: func(p *lifecycle.Plan) { drop(p, on("w1")) },
			want: []string{"- w1/cordon", "- w1/upgrade: because"}},
		"a node at another version": {now: func(p *lifecycle.Plan) { at(p, "w2/upgrade").From = other },
			want: []string{"~ w2/upgrade", "k0s v1.35.7+k0s.0 was there when it was planned, and k0s v1.36.4+k0s.0 is there now"}},
		"other arguments of a service": {now: func(p *lifecycle.Plan) { at(p, "c1/upgrade").Changes = []string{"+ --profile=gpu", "- --debug"} },
			want: []string{"~ c1/upgrade", "new: - --debug"}},
		"a node that an administrator has cordoned": {now: func(p *lifecycle.Plan) { drop(p, is("w1/cordon")); drop(p, is("w1/uncordon")) },
			want: []string{"- w1/cordon", "- w1/uncordon"}},
		"a gate less": {now: func(p *lifecycle.Plan) { at(p, "w1/cordon").Before = nil },
			want: []string{"~ w1/cordon", "does not wait any more until every other node is Ready"}},
		"a step more": {now: func(p *lifecycle.Plan) { more(p, "w9", lifecycle.ActionReset, to) },
			want: []string{"+ w9/reset: it was cut off"}},
		"a step less": {now: func(p *lifecycle.Plan) { drop(p, is("w2/drain")) }, want: []string{"- w2/drain"}},
		"another value": {now: func(p *lifecycle.Plan) { p.Steps[0].Objects[1].Fields[0].From = "evil:1" },
			want: []string{"spec.image was web:1 when it was planned, and is evil:1 now"}},
		"another way back": {now: func(p *lifecycle.Plan) { at(p, "w1/upgrade").OnFailure = nil },
			want: []string{"~ w1/upgrade", "another way back"}},
		"another site":    {now: func(p *lifecycle.Plan) { p.Site = "tokyo" }, want: []string{"is of site lab"}},
		"another cluster": {now: func(p *lifecycle.Plan) { p.ClusterUID = "other" }, begun: true, want: []string{"another cluster"}},
		"nobody has reviewed one": {reviewed: func(p *lifecycle.Plan) { *p = lifecycle.Plan{} }, now: func(*lifecycle.Plan) {}, begun: true,
			want: []string{"nobody has reviewed", "+ c1/upgrade", "+ w2/uncordon"}},
		"nobody has reviewed nothing": {reviewed: func(p *lifecycle.Plan) { *p = lifecycle.Plan{} },
			now: func(p *lifecycle.Plan) { p.Steps = nil }},

		"what is left": {begun: true, now: func(p *lifecycle.Plan) {
			drop(p, on("c1"))
			drop(p, on(""))
			drop(p, on("w1"))
			drop(p, on("addon/shop"))
		}},
		"what is left, and nothing says that it was begun": {now: func(p *lifecycle.Plan) { drop(p, on("w1")) }, want: []string{"- w1/"}},
		"what is left, with ways to bring it to its end": {begun: true, now: func(p *lifecycle.Plan) {
			p.Steps = nil
			more(p, "w1", lifecycle.ActionStart, to)
			more(p, "w1", lifecycle.ActionUncordon, lifecycle.Version{})
			more(p, "w1", lifecycle.ActionForgetFormer, lifecycle.Version{})
			more(p, "w2", lifecycle.ActionTidy, lifecycle.Version{})
			more(p, "w2", lifecycle.ActionCordon, lifecycle.Version{})
			more(p, "w2", lifecycle.ActionJoinWorker, to)
			more(p, "", lifecycle.ActionBackup, lifecycle.Version{})
			*more(p, "w2", lifecycle.ActionUpgrade, to) = lifecycle.Step{ID: "w2/upgrade", Target: "w2", Action: lifecycle.ActionUpgrade, From: to,
				Version:   to,
				OnFailure: []lifecycle.Step{{ID: "w2/restore-former", Target: "w2", Action: lifecycle.ActionRestoreFormer, Version: from}}}
			more(p, "c1", lifecycle.ActionReinstall, to).Changes = []string{"+ --profile=gpu"}
		}},
		"begun, and another machine": {begun: true, now: func(p *lifecycle.Plan) { more(p, "w3", lifecycle.ActionStart, to) },
			want: []string{"+ w3/start"}},
		"begun, and another action": {begun: true, now: func(p *lifecycle.Plan) { more(p, "w1", lifecycle.ActionReset, to) },
			want: []string{"+ w1/reset"}},
		"begun, and the cluster is gone": {begun: true, now: func(p *lifecycle.Plan) { more(p, "c1", lifecycle.ActionInitialize, to) },
			want: []string{"+ c1/initialize"}},
		"begun, and another version": {begun: true, now: func(p *lifecycle.Plan) { at(p, "w1/upgrade").Version = other },
			want: []string{"~ w1/upgrade", "k0s v1.36.4+k0s.0 was not reviewed there"}},
		"begun, and another version is started": {begun: true, now: func(p *lifecycle.Plan) { more(p, "w1", lifecycle.ActionStart, other) },
			want: []string{"~ w1/start"}},
		"begun, and another version to go back to": {begun: true,
			now:  func(p *lifecycle.Plan) { at(p, "w1/upgrade").OnFailure[0].Version = other },
			want: []string{"~ w1/upgrade", "restore-former"}},
		"begun, and another argument": {begun: true, now: func(p *lifecycle.Plan) { at(p, "c1/upgrade").Changes = []string{"- --debug"} },
			want: []string{"new: - --debug"}},
		"begun, and another target": {begun: true, now: func(p *lifecycle.Plan) { p.Target = other },
			want: []string{"k0s v1.36.4+k0s.0 is declared"}},
		"begun, and faster": {begun: true, now: func(p *lifecycle.Plan) { p.Stages[2].Width = 0; drop(p, on("w1")) },
			want: []string{"controllers: all at once, and 1 were reviewed"}},
		"begun, and taken over": {begun: true, now: func(p *lifecycle.Plan) { at(p, "w1/cordon").TakeOver = true },
			want: []string{"in another way"}},
		"some objects are there": {begun: true,
			now: func(p *lifecycle.Plan) { p.Steps[0].Objects = p.Steps[0].Objects[1:]; p.Steps[0].Chart = "1.1.0" }},
		"some fields are there": {begun: true, now: func(p *lifecycle.Plan) { o := p.Steps[0].Objects; o[1].Fields = o[1].Fields[1:] }},
		"begun, and another object": {begun: true, now: func(p *lifecycle.Plan) { p.Steps[0].Objects[0].Name = "cache" },
			want: []string{"Deployment shop/cache was to stay"}},
		"begun, and another value": {begun: true, now: func(p *lifecycle.Plan) { p.Steps[0].Objects[1].Fields[1].From = "9" },
			want: []string{"spec.replicas was 1 when it was planned, and is 9 now"}},
		"begun, and deleted instead": {begun: true, now: func(p *lifecycle.Plan) { p.Steps[0].Objects[0].Change = lifecycle.ChangeDelete },
			want: []string{"create was planned, it would be delete now"}},
		"begun, and other contents": {begun: true, now: func(p *lifecycle.Plan) { p.Steps[0].Digest = "sha256:x" },
			want: []string{"what is declared is not what it was"}},
		"begun, and another chart": {begun: true, now: func(p *lifecycle.Plan) { p.Steps[0].Chart = "1.0.0 -> 2.0.0" },
			want: []string{"the chart goes 1.0.0 -> 2.0.0"}},
		"begun, and another addon": {begun: true,
			now: func(p *lifecycle.Plan) { more(p, "addon/x", lifecycle.ActionApply, lifecycle.Version{}) }, want: []string{"+ addon/x/apply"}},
		"begun, and an addon goes": {begun: true,
			now:  func(p *lifecycle.Plan) { more(p, "addon/shop", lifecycle.ActionPrune, lifecycle.Version{}) },
			want: []string{"+ addon/shop/prune"}},
		"a chart for the new version": {begun: true, reviewed: coming, now: func(p *lifecycle.Plan) { rerendered(p, "2.0.0", false) }},
		"one that was not named": {begun: true, now: func(p *lifecycle.Plan) { rerendered(p, "2.0.0", false) },
			want: []string{"+ addon/dns/apply"}},
		"one that was changed by hand": {begun: true, reviewed: coming, now: func(p *lifecycle.Plan) { rerendered(p, "2.0.0", true) },
			want: []string{"ConfigMap dns/zones was to stay"}},
		"one of another version": {begun: true, reviewed: coming, now: func(p *lifecycle.Plan) { rerendered(p, "1.0.0 -> 2.0.0", false) },
			want: []string{"the chart goes"}},

		"a cluster that was not there": {reviewed: bare, now: func(p *lifecycle.Plan) {
			drop(p, on("c1"))
			p.Steps[0].Chart = "1.1.0"
			p.Steps[0].Objects = append(p.Steps[0].Objects,
				lifecycle.ObjectChange{ObjectRef: lifecycle.ObjectRef{Kind: "Secret", Name: "made"}, Change: lifecycle.ChangeCreate})
		}},
		"a cluster that was not there, and another declaration": {reviewed: bare, now: func(p *lifecycle.Plan) {
			drop(p, on("c1"))
			p.SiteDigest = "sha256:other"
		}, want: []string{"~ addon/shop/apply", "what is declared is not what it was"}},
		"a cluster that was not there, and another machine": {reviewed: bare,
			now: func(p *lifecycle.Plan) { more(p, "w3", lifecycle.ActionStart, to) }, want: []string{"+ w3/start"}},
		"a cluster that does not answer": {now: func(p *lifecycle.Plan) {
			p.ClusterUID, p.Steps = "", nil
			more(p, "c1", lifecycle.ActionStart, from)
		}},
		"one that does not answer, and another machine": {now: func(p *lifecycle.Plan) {
			p.ClusterUID, p.Steps = "", nil
			more(p, "c2", lifecycle.ActionStart, from)
		}, want: []string{"+ c2/start"}},
	} {
		t.Run(name, func(t *testing.T) {
			reviewed, now := bump(t), bump(t)
			if tt.reviewed != nil {
				tt.reviewed(&reviewed)
			}
			tt.now(&now)
			err := Check(reviewed, now, tt.begun)
			if len(tt.want) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, ErrStale) {
				t.Fatalf("error %v, want ErrStale", err)
			}
			ds := lifecycle.AsDiagnostics(err, "")
			for _, want := range tt.want {
				if !strings.Contains(ds[0].Summary+"\n"+ds[0].Detail, want) {
					t.Errorf("does not say %q:\n%s\n%s", want, ds[0].Summary, ds[0].Detail)
				}
			}
			if id := ID(now); len(id) != 12 || !strings.Contains(ds[0].Hint,
				"--accept-changes "+id+" (in the fleet's pipeline, the variable KIBAN_ACCEPT_CHANGES)") {
				t.Errorf("the hint does not name %s: %s", id, ds[0].Hint)
			}
		})
	}
}

func coming(p *lifecycle.Plan) { p.Unfinished, p.Coming = "known later", []string{"addon/dns"} }

func rerendered(p *lifecycle.Plan, chart string, byHand bool) {
	p.Steps = []lifecycle.Step{{ID: "addon/dns/apply", Target: "addon/dns", Action: lifecycle.ActionApply, Chart: chart, Digest: "sha256:dns",
		Objects: []lifecycle.ObjectChange{{ObjectRef: lifecycle.ObjectRef{Kind: "ConfigMap", Namespace: "dns", Name: "zones"},
			Change: lifecycle.ChangeUpdate, Drift: byHand}}}}
}

// bare is how a plan looks where there is no cluster yet.
func bare(p *lifecycle.Plan) {
	p.ClusterUID, p.Steps[0].Digest, p.Steps[0].Chart = "", "", "1.1.0"
}

// Many differences are told in a bounded number of lines.
func TestCheckIsBounded(t *testing.T) {
	now := lifecycle.Plan{Site: "lab", Steps: make([]lifecycle.Step, 500)}
	ds := lifecycle.AsDiagnostics(Check(lifecycle.Plan{}, now, false), "")
	if n := strings.Count(ds[0].Detail, "\n") + 1; n != differencesTold+1 || !strings.HasSuffix(ds[0].Detail, "and 440 more lines") {
		t.Errorf("%d lines, ending %q", n, ds[0].Detail[len(ds[0].Detail)-20:])
	}
}

// TestA3_GuardsAreReviewed: a plan that was reviewed behind other guards is another plan, and so is what is left of it.
func TestA3_GuardsAreReviewed(t *testing.T) {
	guarded := func(p lifecycle.Plan, guards map[string]string) lifecycle.Plan {
		p.Guards = guards
		return p
	}
	was := map[string]string{"labels": "sha256:a", "upgrade.windows": "sha256:b", "wave": "sha256:c"}
	now := map[string]string{"labels": "sha256:a", "upgrade.windows": "sha256:x", "promotion": "sha256:d"}
	const want = "~ guards: promotion, upgrade.windows and wave are not what they were when it was reviewed"
	for _, begun := range []bool{false, true} {
		if got := Differences(guarded(bump(t), was), guarded(bump(t), was), begun); len(got) > 0 {
			t.Errorf("begun %v: %q differ", begun, got)
		}
		if got := Differences(guarded(bump(t), was), guarded(bump(t), now), begun); !slices.Contains(got, want) {
			t.Errorf("begun %v: got %q, want %q", begun, got, want)
		}
		left := guarded(bump(t), now)
		left.Steps = left.Steps[2:]
		if got := Differences(guarded(bump(t), was), left, begun); !slices.Contains(got, want) {
			t.Errorf("begun %v, of what is left: got %q, want %q", begun, got, want)
		}
		if got := Differences(bump(t), guarded(bump(t), now), begun); len(got) != 1 ||
			got[0] != "~ guards: what was reviewed does not say what guards the site: an older kiban planned it" {
			t.Errorf("begun %v: got %q of a plan without guards", begun, got)
		}
		if got := Differences(guarded(bump(t), was), guarded(lifecycle.Plan{Site: "lab"}, now), begun); len(got) > 0 {
			t.Errorf("begun %v: nothing is to be done, and it is refused: %q", begun, got)
		}
	}
}

// TestA3_CarriedOutOnce: what was reviewed is done once. When it has been carried out to its end and somebody undid it, nobody has said
// yes to doing it again.
func TestA3_CarriedOutOnce(t *testing.T) {
	plan := bump(t)
	of := lifecycle.ReviewedPlan{Where: "!42", Plan: plan, Evidence: lifecycle.ReviewEvidence{Job: "jobs/5"}}
	record := func(result lifecycle.RunResult, where, job string) lifecycle.RunRecord {
		return lifecycle.RunRecord{ID: "r1", Result: result,
			Review: &lifecycle.Review{Plan: plan.Meaning(), Where: where, ReviewEvidence: lifecycle.ReviewEvidence{Job: job}}}
	}
	done := record(lifecycle.RunDone, "!42", "jobs/5")
	another := done
	another.Review = &lifecycle.Review{Plan: "sha256:x", Where: "!42", ReviewEvidence: done.Review.ReviewEvidence}
	for name, tt := range map[string]struct {
		edit  func(*lifecycle.ReviewedPlan)
		now   func(*lifecycle.Plan)
		runs  []lifecycle.RunRecord
		begun bool
		again bool
	}{
		"never":                     {},
		"to its end":                {runs: []lifecycle.RunRecord{done}, again: true},
		"to its end, at last":       {runs: []lifecycle.RunRecord{done, record(lifecycle.RunFailed, "!42", "jobs/5")}, again: true},
		"not to its end":            {runs: []lifecycle.RunRecord{record(lifecycle.RunBlocked, "!42", "jobs/5")}},
		"for another merge request": {runs: []lifecycle.RunRecord{record(lifecycle.RunDone, "!41", "jobs/4")}},
		"another plan":              {runs: []lifecycle.RunRecord{another}},
		"by this very process":      {runs: []lifecycle.RunRecord{done}, begun: true},
		"one that could not see its end": {edit: func(r *lifecycle.ReviewedPlan) { r.Plan.Unfinished = "known later" },
			now: func(p *lifecycle.Plan) { p.Unfinished = "known later" }, runs: []lifecycle.RunRecord{done}},
		"a cluster that does not answer": {now: func(p *lifecycle.Plan) { p.ClusterUID = "" },
			runs: []lifecycle.RunRecord{done}},
		"and nothing is to be done": {now: func(p *lifecycle.Plan) { p.Steps = nil },
			runs: []lifecycle.RunRecord{done}},
	} {
		now, reviewed := bump(t), of
		if tt.edit != nil {
			tt.edit(&reviewed)
		}
		if tt.now != nil {
			tt.now(&now)
		}
		a := Approval{Reviewed: reviewed, begun: tt.begun, Note: func(string) {},
			Runs: func(context.Context) []lifecycle.RunRecord { return tt.runs }}
		_, err := a.Allows(t.Context(), now)
		if again := errors.Is(err, ErrStale); again != tt.again || err != nil && !again {
			t.Errorf("%s: %v", name, err)
		}
		if !tt.again {
			continue
		}
		a.Accept = ID(now)
		if said, err := a.Allows(t.Context(), now); err != nil || len(said.Accepted) != 1 || said.AcceptedID != ID(now) {
			t.Errorf("%s: accepted, %+v, %v", name, said, err)
		}
	}
}

func TestBegun(t *testing.T) {
	plan := bump(t)
	record := func(result lifecycle.RunResult, review string) lifecycle.RunRecord {
		return lifecycle.RunRecord{Result: result, Review: &lifecycle.Review{Plan: review}}
	}
	mine := plan.Meaning()
	unfinished := plan
	unfinished.Unfinished = "known later"
	for name, tt := range map[string]struct {
		plan lifecycle.Plan
		runs []lifecycle.RunRecord
		want bool
	}{
		"none": {plan, nil, false},
		"of other plans": {plan, []lifecycle.RunRecord{{Result: lifecycle.RunUnended}, record(lifecycle.RunFailed, "sha256:other")},
			false},
		"killed": {plan, []lifecycle.RunRecord{record(lifecycle.RunUnended, mine)}, true},
		"failed, and another since": {plan, []lifecycle.RunRecord{record(lifecycle.RunDone, "sha256:other"), record(lifecycle.RunFailed, mine)},
			true},
		"done":                        {plan, []lifecycle.RunRecord{record(lifecycle.RunDone, mine), record(lifecycle.RunFailed, mine)}, false},
		"done, as far as it could be": {unfinished, []lifecycle.RunRecord{record(lifecycle.RunDone, unfinished.Meaning())}, true},
	} {
		if got := Begun(tt.plan, tt.runs); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
