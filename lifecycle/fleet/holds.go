package fleet

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/promotion"
)

// Hold is a failure of one site or several that are alike, which holds those that it may befall, too, until it is lifted or a run of
// theirs goes through.
type Hold struct {
	// Fingerprint identifies the failure: lifecycle.Failure's, or of a run that failed by what is its site's own, that run's.
	Fingerprint string            `json:"fingerprint"`
	Failure     lifecycle.Failure `json:"failure"`
	// Own says that it holds nobody but the sites where it happened.
	Own bool `json:"own,omitempty"`
	// Of are the runs that failed so, the first to fail first.
	Of []FailedRun `json:"of"`
	// Lifted is who said that it holds nobody any more; nil: nobody did, or it has happened again since.
	Lifted *lifecycle.Lift `json:"lifted,omitempty"`
	// charts are the versions of the addon that failed, where it is one with a chart.
	charts []lifecycle.SoakVersion
}

// FailedRun is a run that failed, which is the last of its site that applied what is declared.
type FailedRun struct {
	Site  string    `json:"site"`
	Run   string    `json:"run"`
	Ended time.Time `json:"ended"`
}

// Holds are the failures of the sites' last runs, alike ones together, sorted by when they first happened.
func Holds(known map[string]Collected, lifts []lifecycle.Lift, now time.Time) []Hold {
	all := map[string]*Hold{}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		c := known[name]
		r, failed := lastFailed(c)
		if !failed {
			continue
		}
		failures, own := r.Failures, false
		if len(failures) == 0 {
			failures, own = []lifecycle.Failure{{Where: name, Why: fmt.Sprintf("run %s failed by what is the site's own", r.ID)}}, true
		}
		for _, f := range failures {
			id := f.Fingerprint()
			if own {
				sum := sha256.Sum256([]byte(name + "\x00" + r.ID))
				id = hex.EncodeToString(sum[:5])
			}
			h := all[id]
			if h == nil {
				h = &Hold{Fingerprint: id, Failure: f, Own: own}
				all[id] = h
			}
			if !slices.Contains(h.sites(), name) {
				h.Of = append(h.Of, FailedRun{Site: name, Run: r.ID, Ended: r.Ended})
			}
			h.charts = append(h.charts, chartOf(c, f.Unit)...)
		}
	}
	var out []Hold
	for _, h := range all {
		slices.SortFunc(h.Of, func(x, y FailedRun) int { return cmp.Or(x.Ended.Compare(y.Ended), cmp.Compare(x.Site, y.Site)) })
		h.Lifted = lifted(*h, lifts, now)
		out = append(out, *h)
	}
	slices.SortFunc(out, func(x, y Hold) int {
		return cmp.Or(x.Of[0].Ended.Compare(y.Of[0].Ended), cmp.Compare(x.Fingerprint, y.Fingerprint))
	})
	return out
}

// lastFailed is the last run of a site that applied what is declared, if it failed. A run that was stopped, cut off or blocked did not.
func lastFailed(c Collected) (lifecycle.RunRecord, bool) {
	r, ran := lastApplied(c)
	return r, ran && r.Result == lifecycle.RunFailed
}

// lifted is the last lift of a failure, unless it has happened since.
func lifted(h Hold, lifts []lifecycle.Lift, now time.Time) *lifecycle.Lift {
	var last *lifecycle.Lift
	for _, l := range lifts {
		if l.Failure == h.Fingerprint && !l.At.After(now) && (last == nil || last.At.Before(l.At)) {
			last = &l
		}
	}
	if last == nil || slices.ContainsFunc(h.Of, func(r FailedRun) bool { return r.Ended.After(last.At) }) {
		return nil
	}
	return last
}

// chartOf is the version of the chart that a unit of a site was declared with.
func chartOf(c Collected, unit string) []lifecycle.SoakVersion {
	for _, a := range c.Declared.Value.Addons {
		if lifecycle.UnitAddon+a.Name == unit && a.Chart != "" {
			return []lifecycle.SoakVersion{{Name: promotion.Chart(a.Chart), Version: a.Version}}
		}
	}
	return nil
}

// sites are those where it happened.
func (h Hold) sites() []string {
	var out []string
	for _, r := range h.Of {
		out = append(out, r.Site)
	}
	return out
}

// holding is the failure that holds a site, and why it does.
func holding(site string, c Collected, holds []Hold) (Hold, string, bool) {
	for _, h := range holds { // its own first
		if i := slices.Index(h.sites(), site); i >= 0 && h.Lifted == nil {
			return h, fmt.Sprintf("its run %s failed: %s", h.Of[i].Run, h.Failure), true
		}
	}
	for _, h := range holds {
		if h.Own || h.Lifted != nil {
			continue
		}
		if why, shares := h.befalls(c); shares {
			return h, fmt.Sprintf("%s failed by what may befall it, too (%s): %s", lifecycle.Few(h.sites()), why, h.Failure), true
		}
	}
	return Hold{}, "", false
}

// befalls reports whether a failure may befall a site: its plan does the same with the same version, to a machine of the same kind. What
// is not known of its machines counts as the same. why says what they have in common.
func (h Hold) befalls(c Collected) (why string, shares bool) {
	drift, _ := c.Drift.Now()
	f := h.Failure
	if f.Unit != "" {
		return h.befallsUnit(c, drift)
	}
	switch same := (lifecycle.SoakVersion{Name: promotion.K0s, Version: f.Version.String()}); {
	case !f.Version.IsZero() && !slices.Contains(drift.Brings, same):
		return "", false
	case f.Version.IsZero() && !slices.Contains(drift.Does, f.Action):
		return "", false
	}
	machines, known := c.Machines.Now()
	if !known {
		return "its machines are not known", true
	}
	doubt := ""
	for _, m := range machines {
		if f.Role != "" && m.Role != f.Role {
			continue
		}
		switch kind := m.kind(); {
		case f.Machine == "":
			return "the kind of machine that failed is not known", true
		case kind == f.Machine:
			return m.Name + " is of that kind", true
		case kind == "" && doubt == "":
			doubt = "of which kind " + m.Name + " is, is not known"
		}
	}
	return doubt, doubt != ""
}

// befallsUnit is befalls for what is applied in the cluster. Tenants and objects are a site's own.
func (h Hold) befallsUnit(c Collected, drift Drift) (why string, shares bool) {
	name, addon := strings.CutPrefix(h.Failure.Unit, lifecycle.UnitAddon)
	if !addon || !slices.Contains(drift.Does, lifecycle.ActionApply) {
		return "", false
	}
	for _, v := range h.charts {
		if slices.Contains(drift.Brings, v) {
			return "it gets " + name + " " + v.Version, true
		}
	}
	declares := slices.ContainsFunc(c.Declared.Value.Addons, func(a DeclaredAddon) bool { return a.Name == name })
	if len(h.charts) == 0 && declares {
		return "it has the addon " + name, true
	}
	return "", false
}

// kind is HostState.Kind of a machine; "" where it told nothing.
func (m Machine) kind() string {
	return lifecycle.HostState{OS: m.OS, Kernel: m.Kernel, Arch: m.Arch}.Kind()
}
