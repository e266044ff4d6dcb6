package site

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// ReadFleet reads what the fleet's owners allow all sites: the file at its root, which need not be there.
func ReadFleet(fleetDir string) (lifecycle.Fleet, lifecycle.Diagnostics) {
	fleet, ds := readFleetFile(fleetDir)
	var found lifecycle.Diagnostics
	fleet.Support, found = readSupport(fleetDir)
	return fleet, append(ds, found...)
}

// readSupport reads the fleet's own dates of support, which need not be there.
func readSupport(fleetDir string) ([]lifecycle.Support, lifecycle.Diagnostics) {
	file := filepath.Join(fleetDir, lifecycle.SupportFile)
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	finding := lifecycle.Errorf(lifecycle.SupportFile, "the dates of support can't be read").
		Try("It is written as kiban's own lifecycle/support.json is, or as endoflife.date answers. " +
			"Without the file, kiban has the dates that it was built with.")
	if err == nil && (!info.Mode().IsRegular() || info.Size() > 1<<20) {
		return nil, lifecycle.Diagnostics{finding.Because("It is no plain file, or a very large one.")}
	}
	var content []byte
	if err == nil {
		content, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, lifecycle.Diagnostics{finding.From(err)}
	}
	known, line, err := lifecycle.ParseSupport(content)
	if err != nil {
		finding.Subject += ":" + strconv.Itoa(line)
		return nil, lifecycle.Diagnostics{finding.From(err)}
	}
	return known, nil
}

func readFleetFile(fleetDir string) (lifecycle.Fleet, lifecycle.Diagnostics) {
	content, ds := readRootFile(fleetDir, lifecycle.FleetFile)
	if content == nil || ds.Err() != nil {
		return lifecycle.Fleet{}, ds
	}
	return parseFleet(content)
}

// parseFleet reads the content of fleet.yaml. What can't be read allows nothing.
func parseFleet(content []byte) (lifecycle.Fleet, lifecycle.Diagnostics) {
	var d fleetDocument
	_, ds := decodeRootFile(rootFile{lifecycle.FleetFile, overlay.KindFleet}, content, &d, func() []finding { return checkFleetDocument(d) })
	if ds.Err() != nil {
		return lifecycle.Fleet{}, ds
	}
	return d.fleet(), ds
}
