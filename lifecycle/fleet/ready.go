package fleet

import (
	"cmp"

	"kiban.dev/kiban/lifecycle"
)

// ReadinessFormat is the version of SiteReadiness' JSON form.
const ReadinessFormat = "1.0"

// Verdict is in a word what readiness comes to, for programs.
type Verdict string

const (
	VerdictReady    Verdict = "ready"
	VerdictNotReady Verdict = "not ready"
	// VerdictUnknown: something could not be looked at, and nothing else is in the way.
	VerdictUnknown Verdict = "not known to be ready"
	// VerdictFailed: the site could not be judged; Error says why. Or nobody answered, as Blind says.
	VerdictFailed Verdict = "failed"
)

// SiteReadiness is what a version would break at a site, or why nobody could say.
type SiteReadiness struct {
	Format string `json:"format"`
	lifecycle.Readiness
	Verdict Verdict `json:"verdict"`
	// Error is why the site could not be judged at all; then nothing else is told of it.
	Error string `json:"error,omitempty"`
}

// Readiness is what a version would break at each of several sites.
type Readiness []SiteReadiness

// Judged is a site's, with its verdict.
func Judged(r lifecycle.Readiness) SiteReadiness {
	v := VerdictReady
	switch {
	case r.Blind:
		v = VerdictFailed
	case len(r.Of(lifecycle.RankBlocks)) > 0 || r.Stops > 0:
		v = VerdictNotReady
	case !r.IsReady():
		v = VerdictUnknown
	}
	return SiteReadiness{Format: ReadinessFormat, Readiness: r, Verdict: v}
}

// Unjudged is a site that could not be judged.
func Unjudged(site string, err error) SiteReadiness {
	out := SiteReadiness{Format: ReadinessFormat, Verdict: VerdictFailed}
	out.Site = site
	for _, d := range lifecycle.AsDiagnostics(err, "kiban could not do that") {
		if d.Severity != lifecycle.SeverityWarning {
			out.Error = lifecycle.OneLine(d.Error())
			break
		}
	}
	out.Error = cmp.Or(out.Error, lifecycle.InWords(err))
	return out
}

// Err is the finding for each site that the version would break, or that is not known to be ready for it: what nobody saw may break, too.
// Of a site where nobody answered nothing is known, and that is an error, whatever its files tell. Of a site that could not be
// judged, whose error is told, there is none.
func (all Readiness) Err() error {
	var ds lifecycle.Diagnostics
	for _, r := range all {
		blocks, to := r.Of(lifecycle.RankBlocks), r.Named(r.To)
		switch {
		case r.Error != "":
		case r.Blind:
			d := lifecycle.Errorf(r.Site, "nothing is known of what %s would break", to).
				Because(r.Unseen[0].What + ": " + r.Unseen[0].Why)
			if len(blocks) > 0 {
				d = d.Because("By its files alone, " + lifecycle.Count(len(blocks), "finding") + " in the way.")
			}
			ds = append(ds, d.Try("kiban status "+r.Site))
		case len(blocks) > 0:
			ds = append(ds, lifecycle.Blockedf(r.Site, "not ready for %s: %s in the way", to, lifecycle.Count(len(blocks), "finding")))
		case len(r.Unseen) > 0:
			ds = append(ds, lifecycle.Blockedf(r.Site, "not known to be ready for %s: %s could not be looked at", to,
				lifecycle.Count(r.NotSeen(), "thing")))
		}
	}
	return ds.Err()
}

// Highest is the highest version that was judged.
func (all Readiness) Highest() lifecycle.Version {
	var high lifecycle.Version
	for _, r := range all {
		if high.Less(r.To) {
			high = r.To
		}
	}
	return high
}
