package readiness

import (
	"fmt"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// Pods that do not keep to what their namespace asks are found where a version on the way asks it, and for as long as it does.
func TestPodsThatTheirNamespaceRefuses(t *testing.T) {
	security := func(since, until int) lifecycle.Refusal {
		return lifecycle.Refusal{By: lifecycle.RefusedByPodSecurity, Name: "baseline:latest", Why: "violates it", Since: since, Until: until}
	}
	limits := lifecycle.Refusal{By: lifecycle.RefusedByLimitRange, Name: "sizes", Why: "maximum cpu"}
	doubtful := limits
	doubtful.Doubtful = true
	for name, c := range map[string]struct {
		refused []lifecycle.Refusal
		edit    func(*Input)
		from    int // the minor that the site has; 0: the target's
		// want is rank, breaks and a part of what is said of each finding; unseen a part of what could not be looked at.
		want, unseen string
	}{
		"nothing": {},
		"in all versions": {refused: []lifecycle.Refusal{security(0, 0)},
			want: "blocks : Pod Security enforces baseline:latest in the namespace shop"},
		"from the target on":    {refused: []lifecycle.Refusal{security(37, 0)}, from: 36, want: "blocks v1.37: enforce-version=v1.36"},
		"after the target":      {refused: []lifecycle.Refusal{security(38, 0)}},
		"no more in the target": {refused: []lifecycle.Refusal{security(0, 37)}},
		"in a version between, no more in the target": {refused: []lifecycle.Refusal{security(36, 37)},
			from: 35, want: "blocks v1.36: violates it"},
		"a LimitRange":                      {refused: []lifecycle.Refusal{limits}, want: "blocks : edit limitrange sizes"},
		"what another LimitRange gave them": {refused: []lifecycle.Refusal{doubtful}, want: "needs attention : may not be made anew"},
		"both": {refused: []lifecycle.Refusal{limits, security(0, 0)},
			want: "blocks : maximum cpu; blocks : violates it"},
		"it could not be asked": {edit: func(in *Input) { in.Evidence.Scheduling.Value.RefusedUnknown = "limit ranges are forbidden" },
			unseen: "limit ranges are forbidden"},
		"a file of admission that nobody declares": {edit: func(in *Input) {
			in.Site.Cluster.Config = []byte(`{"spec":{"api":{"extraArgs":{"admission-control-config-file":"/etc/k0s/a.yaml"}}}}`)
		}, unseen: "/etc/k0s/a.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			kind := asks("web", 100)
			kind.Refused = c.refused
			in := threeWorkers([]lifecycle.PlacedPod{at("a", 0, 0), at("b", 0, 1)}, kind)
			in.Site.Cluster.Hosts = append(in.Site.Cluster.Hosts, lifecycle.Host{Name: "c1", Role: lifecycle.RoleController})
			if c.edit != nil {
				c.edit(&in)
			}
			in.Evidence.Admission = &lifecycle.Answer[lifecycle.Admission]{}
			r := &report{}
			r.From, r.To = in.Target, in.Target
			if c.from > 0 {
				r.From.Minor = c.from
			}
			admission(in, r)
			var wants []string
			if c.want != "" {
				wants = strings.Split(c.want, "; ")
			}
			if len(r.Findings) != len(wants) {
				t.Fatalf("%+v", r.Findings)
			}
			for i, f := range r.Findings {
				head, part, _ := strings.Cut(wants[i], ": ")
				said := f.Summary + "\n" + strings.Join(f.Seen, "\n") + "\n" + f.Remedy
				if got := fmt.Sprintf("%s %s", f.Rank, f.Breaks); got != head || !strings.Contains(said, part) || f.Subject != kind.Workload {
					t.Errorf("%s: %+v", got, f)
				}
			}
			if got := fmt.Sprint(r.Unseen); (len(r.Unseen) > 0) != (c.unseen != "") || !strings.Contains(got, c.unseen) {
				t.Errorf("not seen: %s", got)
			}
		})
	}
}

// Of a namespace that refuses all its pods a hundred workloads are told, and how many more there are.
func TestManyPodsThatTheirNamespaceRefuses(t *testing.T) {
	var kinds []lifecycle.PodKind
	var pods []lifecycle.PlacedPod
	for i := range mostWorkloads + 7 {
		k := asks(fmt.Sprintf("w%03d", i), 1)
		k.Refused = []lifecycle.Refusal{{By: lifecycle.RefusedByQuota, Name: "q", Why: "must specify"}}
		kinds, pods = append(kinds, k), append(pods, at(fmt.Sprint("p", i), int32(i), 0))
	}
	in := threeWorkers(pods, kinds...)
	in.Site.Cluster.Hosts = append(in.Site.Cluster.Hosts, lifecycle.Host{Name: "c1", Role: lifecycle.RoleController})
	in.Evidence.Admission = &lifecycle.Answer[lifecycle.Admission]{}
	r := &report{}
	r.From, r.To = in.Target, in.Target
	admission(in, r)
	if n := len(r.Findings); n != mostWorkloads+1 || !strings.Contains(r.Findings[n-1].Summary, "pods of 7 workloads more") {
		t.Errorf("%d: %+v", n, r.Findings[n-1])
	}
}
