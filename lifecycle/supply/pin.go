package supply

import (
	"context"
	"fmt"
	"path/filepath"

	"kiban.dev/kiban/lifecycle"
)

// PinOptions are the choices of whoever pins.
type PinOptions struct {
	// Check writes nothing.
	Check bool
	// AcceptChanged takes other content for a version that is pinned.
	AcceptChanged bool
}

// PinReport is what was found of one site.
type PinReport struct {
	Site    string      `json:"site"`
	Changes []PinChange `json:"changes,omitempty"`
	// Written says that the lock file was written.
	Written bool `json:"written"`
}

// Pin asks the sources of a site what its versions stand for, and writes its lock file when that says something else.
func Pin(ctx context.Context, site lifecycle.Site, from Sources, opts PinOptions) (PinReport, error) {
	report := PinReport{Site: site.Name}
	file := filepath.Join(site.Dir, lifecycle.PinsFile)
	former, err := ReadPins(file)
	if err != nil {
		return report, err
	}
	now, err := Resolve(ctx, site, from)
	if err != nil {
		return report, err
	}
	report.Changes = comparePins(former, now)
	if !opts.AcceptChanged {
		if err := refuseChanged(site.Name, report.Changes).Err(); err != nil {
			return report, err
		}
	}
	if opts.Check || former != nil && len(report.Changes) == 0 {
		return report, nil
	}
	if former == nil && now.Empty() {
		return report, nil
	}
	report.Written = true
	return report, WritePins(file, now)
}

// refuseChanged is the error of versions whose content was replaced.
func refuseChanged(site string, changes []PinChange) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	for _, c := range changes {
		if c.Change != PinChanged {
			continue
		}
		ds = append(ds, lifecycle.Errorf(site+"/"+lifecycle.PinsFile, "%s has other content than it had", c.What).
			Because(fmt.Sprintf("It is pinned as %s, and its source serves %s now.", c.From, c.To)).
			Try("Find out who replaced it and why. To take the new content: kiban pin "+site+" --accept-changed"))
	}
	return ds
}
