package forge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/promotion"
)

// Promote holds what the plans bring against the sites that must have run it before, by the files in a folder; "" is a folder with none.
// A file that can't be used is a warning, and counts as none.
func Promote(plans []SitePlan, dir string, now time.Time) lifecycle.Diagnostics {
	var found lifecycle.Diagnostics
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
			soak, err := ReadSoak(dir, name)
			switch {
			case err == nil:
				soaks[name] = soak
			case !errors.Is(err, fs.ErrNotExist):
				found = append(found, lifecycle.Warnf(filepath.Join(dir, name+".json"),
					"how long %s ran its versions can't be read, so it counts as not known", name).
					From(err).Try("Retry the job soak:"+name+"."))
			}
		}
		p.Promoted = promotion.Decide(p.Site.Promotion, p.Plan, soaks, now)
	}
	return found
}

// ReadSoak reads what a site keeps of how long it ran its versions, as its job left it in a folder: SITE.json. The file of a job that
// failed is empty, and counts as not there: fs.ErrNotExist.
func ReadSoak(dir, site string) (lifecycle.Soak, error) {
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
