package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// rehearsals are one that went through, one that a budget holds up, and one without a step.
func rehearsals() []lifecycle.Rehearsal {
	from, to := lifecycle.Version{Major: 1, Minor: 35, Patch: 7}, lifecycle.Version{Major: 1, Minor: 36, Patch: 3}
	taken := time.Date(2026, 11, 30, 1, 5, 0, 0, time.UTC)
	through := lifecycle.Rehearsal{Format: lifecycle.RehearsalFormat, Site: "tokyo", From: from, To: to, Plan: "sha256:aa",
		Source: lifecycle.RehearsalLive, Taken: taken, Ended: taken.Add(2 * time.Minute), Steps: 41, Done: 41,
		Result: lifecycle.RunDone, Runs: 1, Same: true, Order: []string{"controller-1", "worker-1", "worker-2"},
		Waits: []lifecycle.RehearsedWait{{Step: "worker-2/drain", Gate: "disruption budgets let its pods go",
			Reason: "shop/web-1 is held by budget shop/web", For: "shop/web", Owner: "tenant shop", Took: 3 * time.Minute}},
		Services: []lifecycle.RehearsedService{{Namespace: "shop", Name: "web", Requests: 52310}},
		Workloads: []lifecycle.RehearsedWorkload{{Kind: "Deployment", Namespace: "shop", Name: "web", Desired: 3, Fewest: 2,
			Step: "worker-1/drain"}},
		Took: 4 * time.Minute, Expected: 72 * time.Minute,
		Assumed: []string{"No run of the site tells how long drain takes; it is as in the lab."},
		Differences: []lifecycle.TwinDifference{{What: "CronJobs are suspended (3)",
			Consequence: "Jobs that begin during the upgrade are not rehearsed."}}}
	stuck := through
	stuck.Done, stuck.Result, stuck.Same = 18, lifecycle.RunFailed, false
	stuck.Other = []string{"worker-2/stage is planned in the twin, and not at the site"}
	stuck.Blocks = []lifecycle.RehearsedBlock{{Step: "worker-2/drain", Owner: "tenant shop",
		Diagnostic: lifecycle.Errorf("worker-2", "pods did not leave within 5m").
			Because("shop/web-1 is held by budget <shop/web> | *0* allowed").Try("Give shop/web another replica.")}}
	stuck.Services = []lifecycle.RehearsedService{{Namespace: "shop", Name: "web", Requests: 52310, Lost: 12,
		Why: []string{"worker-2/drain: no endpoint is ready"}}}
	stuck.Refused = []lifecycle.RefusedObject{{Object: "Widget shop/a", Reason: "no such kind"}}
	stuck.Unwell = []string{"shop/db-0: Insufficient cpu"}
	stuck.Faults = []lifecycle.RehearsedFault{{Spec: "worker-2=off@drain", At: "worker-2/drain"}, {Spec: "worker-9=off@drain"}}
	empty := lifecycle.Rehearsal{Format: lifecycle.RehearsalFormat, Site: "tokyo", From: to, To: to, Source: lifecycle.RehearsalLive,
		Taken: taken, Ended: taken, Result: lifecycle.RunDone, Same: true}
	return []lifecycle.Rehearsal{through, stuck, empty}
}

// TestRehearsalForms: a rehearsal as people, a merge request, a browser and a program get it.
func TestRehearsalForms(t *testing.T) {
	for _, form := range []string{"text", "markdown", "html"} {
		var out bytes.Buffer
		for _, r := range rehearsals() {
			if err := Rehearsal(&out, r, form, Style{}); err != nil {
				t.Fatal(err)
			}
			out.WriteString("----\n")
		}
		if strings.Contains(out.String(), "<shop/web>") && form != "text" {
			t.Errorf("%s: what a site says is markup", form)
		}
		golden(t, "rehearsal."+map[string]string{"text": "txt", "markdown": "md", "html": "html"}[form], out.String())
	}
	var out bytes.Buffer
	for _, r := range rehearsals() {
		b, err := json.MarshalIndent(r, "", "  ")
		if err = errors.Join(err, json.Unmarshal(b, new(lifecycle.Rehearsal))); err != nil {
			t.Fatal(err)
		}
		out.Write(append(b, '\n'))
	}
	golden(t, "rehearsal.json", out.String())
}
