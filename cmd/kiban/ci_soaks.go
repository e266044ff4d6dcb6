package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/promotion"
)

// promote holds what the plans bring against the sites that must have run it before, by the files in a folder; "" is a folder with none. A file
// that can't be used is told of, and counts as none.
func (a *app) promote(plans []forge.SitePlan, dir string, now time.Time) {
	soaks := map[string]lifecycle.Soak{}
	asked := map[string]bool{}
	for i := range plans {
		p := &plans[i]
		if p.Missing != "" || p.Gone || len(p.Site.Promotion.From) == 0 {
			continue
		}
		for _, name := range append([]string{p.Site.Name}, p.Site.Promotion.From...) {
			if asked[name] {
				continue
			}
			asked[name] = true
			soak, err := soakIn(dir, name)
			switch {
			case err == nil:
				soaks[name] = soak
			case !errors.Is(err, fs.ErrNotExist):
				a.findings(lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Subject: filepath.Join(dir, name+".json"), Detail: err.Error(), Cause: err,
					Summary: "how long " + name + " ran its versions can't be read, so it counts as not known", Hint: "Retry the job soak:" + name + "."}})
			}
		}
		p.Promoted = promotion.Decide(p.Site.Promotion, p.Plan, soaks, now)
	}
}

// soakIn reads what a site keeps of how long it ran its versions, as its job left it in a folder. The file of a job that failed is empty, and
// counts as not there.
func soakIn(dir, site string) (lifecycle.Soak, error) {
	if dir == "" {
		return lifecycle.Soak{}, fs.ErrNotExist
	}
	b, err := os.ReadFile(filepath.Join(dir, site+".json"))
	if err != nil {
		return lifecycle.Soak{}, err
	}
	if len(b) == 0 {
		return lifecycle.Soak{}, fs.ErrNotExist
	}
	var soak lifecycle.Soak
	if err := json.Unmarshal(b, &soak); err != nil {
		return lifecycle.Soak{}, err
	}
	if soak.Site != site {
		return lifecycle.Soak{}, fmt.Errorf("it is of %q", soak.Site)
	}
	return soak, nil
}
