package site

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
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
	file := filepath.Join(fleetDir, lifecycle.FleetFile)
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return lifecycle.Fleet{}, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		return lifecycle.Fleet{}, lifecycle.Diagnostics{lifecycle.Errorf(lifecycle.FleetFile, "%s is no plain file", lifecycle.FleetFile).
			Because("A link or a folder in its place leads to what may not be in the commit.").
			Try("Put the file itself there.")}
	}
	var content []byte
	if err == nil {
		content, err = os.ReadFile(file)
	}
	if err != nil {
		return lifecycle.Fleet{}, lifecycle.AsDiagnostics(err, lifecycle.FleetFile+" can't be read")
	}
	return parseFleet(content)
}

// parseFleet reads the content of fleet.yaml. What can't be read allows nothing.
func parseFleet(content []byte) (lifecycle.Fleet, lifecycle.Diagnostics) {
	docs, err := overlay.ParseYAML(content)
	if err != nil {
		line, what := overlay.YAMLErrorAt(err.Error())
		return lifecycle.Fleet{}, lifecycle.Diagnostics{lifecycle.Errorf(fleetLine(line), "this is not YAML").Because(what).
			Try("Check indentation, quotes and colons at and just above this line.")}
	}
	if len(docs) != 1 {
		return lifecycle.Fleet{}, lifecycle.Diagnostics{lifecycle.Errorf(lifecycle.FleetFile, "this is not one document").
			Because(lifecycle.FleetFile + " holds one document of kind " + overlay.KindFleet + ", and nothing else.").
			Try("Start with `apiVersion: " + overlay.APIKiban + "` and `kind: " + overlay.KindFleet + "`, or remove the file.")}
	}
	var ds lifecycle.Diagnostics
	overlay.DuplicateKeys(docs[0], func(key string, line, first int) {
		ds = append(ds, lifecycle.Errorf(fleetLine(line), "key %q is given twice", key).
			Because("Line "+strconv.Itoa(first)+" gives it already.").Try("Remove one."))
	})
	var d fleetDocument
	s := strict{document: overlay.Place{Kind: overlay.KindFleet}}
	s.decode(docs[0], reflect.ValueOf(&d).Elem(), nil)
	for _, f := range append(s.found, checkFleetDocument(d)...) {
		ds = append(ds, lifecycle.Findingf(f.severity, fleetLine(overlay.LineOf(docs[0], f.at.Path)), "%s", f.summary).
			Because(f.detail).Try(f.hint))
	}
	if ds.Err() != nil {
		return lifecycle.Fleet{}, ds
	}
	return d.fleet(), ds
}

func fleetLine(line int) string {
	if line <= 0 {
		return lifecycle.FleetFile
	}
	return lifecycle.FleetFile + ":" + strconv.Itoa(line)
}
