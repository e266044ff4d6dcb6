package forge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"kiban.dev/kiban/lifecycle"
)

// Rehearse adds to plans that their sites ask to be rehearsed how that went, by the files in a folder: SITE.json, as
// "kiban rehearse SITE -o json" prints it.
func Rehearse(plans []SitePlan, dir string) {
	for i := range plans {
		p := &plans[i]
		if p.Missing != "" || p.Gone || !p.Site.Rehearse.Asks(p.Plan) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, p.Site.Name+".json"))
		if err != nil {
			b = nil // its job says why
		}
		p.Rehearsal, p.Unrehearsed = ParseRehearsal(b, p.Plan)
	}
}

// ParseRehearsal reads how a plan went in a twin of its site, as a job left it, or says why that is not known: it was another plan, it
// could not be rehearsed, or it can't be read.
func ParseRehearsal(b []byte, plan lifecycle.Plan) (r *lifecycle.Rehearsal, why string) {
	retry := ": retry the job rehearse:" + plan.Site
	if len(bytes.TrimSpace(b)) == 0 {
		return nil, "it could not be rehearsed: the log of the job rehearse:" + plan.Site + " says why"
	}
	r = &lifecycle.Rehearsal{}
	err := json.Unmarshal(b, r)
	switch {
	case err != nil:
		return nil, "its rehearsal was cut off" + retry
	case !lifecycle.SameMajor(r.Format, lifecycle.RehearsalFormat):
		return nil, fmt.Sprintf("its rehearsal has the format %q; this kiban reads %s", r.Format, lifecycle.RehearsalFormat)
	case r.Site != plan.Site:
		return nil, fmt.Sprintf("what was rehearsed is of site %q", r.Site)
	case r.Plan != plan.Meaning():
		return nil, "its rehearsal is stale, of another plan than this one" + retry
	}
	return r, ""
}

// rehearsed is what stands behind a reviewed plan that was rehearsed: that it went through, or why that is not so.
func rehearsed(p SitePlan, file []byte) (through, not string) {
	r, why := ParseRehearsal(file, p.Plan)
	switch {
	case r == nil:
		return "", why
	case !r.Through():
		return "", r.Sentence()
	}
	return r.Sentence(), ""
}

// rehearsalReason is what a reviewer must know of how the plan went, or did not go; "" when it went through, or nobody asked.
func rehearsalReason(s SitePlan) string {
	if s.Rehearsal != nil && !s.Rehearsal.Through() {
		return s.Rehearsal.Sentence()
	}
	return s.Unrehearsed
}
