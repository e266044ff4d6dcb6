package site

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// overlaysDir is the folder of a fleet that holds one folder per site.
const overlaysDir = "overlays"

// FindFleet walks up from start to the folder that holds overlays/ and returns its absolute path.
func FindFleet(start string) (string, error) {
	abs, err := filepath.Abs(start)
	if err != nil {
		return "", fmt.Errorf("find fleet: %w", err)
	}
	for dir := abs; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(filepath.Join(dir, overlaysDir)); err == nil && info.IsDir() {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", lifecycle.Errorf(abs, "no fleet here").
				Because(fmt.Sprintf("Neither %s nor a folder above it has a folder %q.", abs, overlaysDir)).
				Try("Run kiban inside the repository that holds clusters/ and overlays/, or name it with --fleet. Where there is none yet, " +
					"kiban init DIR makes one.")
		}
	}
}

// List names the sites of a fleet, sorted: the folders of overlays/. The error says of each folder that is none what it lacks, lest a site
// be lost in silence; the names of the others come with it. Folders that are empty, which git does not keep, and hidden ones are passed
// over. A fleet without overlays/ is fs.ErrNotExist.
func List(fleetDir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(fleetDir, overlaysDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, lifecycle.Errorf(fleetDir, "this is no fleet: it has no folder overlays/").
			Try("Run kiban inside the repository that holds clusters/ and overlays/, or name it: --fleet DIR.").Hiding(err)
	}
	if err != nil {
		return nil, fmt.Errorf("list sites: %w", err)
	}
	var names []string
	var found lifecycle.Diagnostics
	for _, e := range entries {
		dir := filepath.Join(fleetDir, overlaysDir, e.Name())
		switch file, err := overlay.KustomizationFile(dir); {
		case file != "" || err != nil: // of several, reading the site says which
			names = append(names, e.Name())
		case e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !emptyDir(dir):
			found = append(found, lifecycle.Errorf(path.Join(overlaysDir, e.Name()), "this overlay has no kustomization.yaml").
				Try("Write one, or move the folder out of overlays/: each folder there is a site."))
		}
	}
	return names, found.Err()
}

// IsSite reports whether a folder of overlays/ that has files of these names is a site, as List has it.
func IsSite(files []string) bool { return slices.ContainsFunc(files, overlay.IsKustomization) }

func emptyDir(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) == 0
}

// overlayDir resolves a site's name to its folder.
func overlayDir(fleetDir, name string) (string, lifecycle.Diagnostics) {
	fleet, err := filepath.Abs(fleetDir)
	if err != nil {
		return "", lifecycle.AsDiagnostics(err, "the fleet's folder can't be resolved")
	}
	dir := filepath.Join(fleet, overlaysDir, name)
	if name != "" && filepath.Base(dir) == name && filepath.Dir(dir) == filepath.Join(fleet, overlaysDir) {
		file, err := overlay.KustomizationFile(dir)
		if err != nil {
			return "", lifecycle.Diagnostics{lifecycle.Errorf(filepath.ToSlash(filepath.Join(overlaysDir, name)), "more than one kustomization").
				Because(err.Error()).
				Try("Keep one.")}
		}
		if file != "" {
			return dir, nil
		}
		if _, err := os.Stat(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", lifecycle.AsDiagnostics(err, "the overlay can't be read")
		}
	}
	return "", lifecycle.Diagnostics{unknownSite(fleet, name)}
}

func unknownSite(fleet, name string) lifecycle.Diagnostic {
	known, err := List(fleet)
	if d := (lifecycle.Diagnostic{}); errors.Is(err, fs.ErrNotExist) && errors.As(err, &d) {
		return d // no site is there, whatever it is called
	}
	d := lifecycle.Errorf(name, "there is no site %q", name).
		Because(fmt.Sprintf("%s has no folder %q with a kustomization.yaml.", filepath.Join(fleet, overlaysDir), name))
	switch near := overlay.Nearest(name, known); {
	case err != nil:
		d.Hint = "Run kiban inside the repository that holds clusters/ and overlays/."
	case near != "":
		d.Hint = fmt.Sprintf("Did you mean %q?", near)
	case len(known) > 0:
		d.Hint = "The sites are: " + strings.Join(known, ", ") + "."
	default:
		d.Hint = "Make the first one: overlays/ holds none yet."
	}
	return d
}

// CheckFleet finds what no site can see alone: hosts that two sites claim, cluster names used twice, address pools that overlap,
// and sites that wait for others which never come before them.
func CheckFleet(sites []lifecycle.Site) lifecycle.Diagnostics {
	type claim struct{ site, host, source string }
	var ds lifecycle.Diagnostics
	machines := map[string]claim{}
	clusters := map[string]string{}
	sites = slices.Clone(sites)
	slices.SortFunc(sites, func(a, b lifecycle.Site) int { return cmp.Compare(a.Name, b.Name) })
	for _, s := range sites {
		if other, taken := clusters[s.Cluster.Name]; taken && s.Cluster.Name != "" {
			ds = append(ds, lifecycle.Errorf(overlaysDir+"/"+s.Name, "cluster name %q is used by two sites", s.Cluster.Name).
				Because(fmt.Sprintf("%s and %s both name their cluster %q; their kubeconfig contexts and records could be confused.",
					other, s.Name, s.Cluster.Name)).
				Try("Give each Cluster its own metadata.name, such as the site's name."))
		} else {
			clusters[s.Cluster.Name] = s.Name
		}
		for _, h := range s.Cluster.Hosts {
			key := fmt.Sprintf("%s port %d", h.Address, h.Port)
			other, taken := machines[key]
			if !taken {
				machines[key] = claim{s.Name, h.Name, h.Source}
				continue
			}
			if other.site == s.Name {
				continue // twice in one site is that site's own finding
			}
			ds = append(ds, lifecycle.Errorf(cmp.Or(h.Source, overlaysDir+"/"+s.Name), "%s is claimed by two sites", key).
				Because(fmt.Sprintf("%s has it as host %s (%s), %s as host %s (%s).", other.site, other.host, other.source, s.Name, h.Name, h.Source)).
				Try("Leave the machine to one site."))
		}
	}
	ds = append(ds, checkFleetPools(sites)...)
	ds = append(ds, checkFleetPromotion(sites)...)
	ds.Sort()
	return ds
}

// Reads are the files and folders of a fleet, relative to it, that decide what a site declares; false when only building it would tell.
func Reads(fleetDir, name string) ([]string, bool) {
	dir, ds := overlayDir(fleetDir, name)
	if ds != nil {
		return nil, false
	}
	tree := overlay.Read(dir)
	reads, told := tree.Reads()
	reads = append(reads, groupReads(fleetDir, tree.Includes)...) // of which groups a site is, decides whether it is valid
	return append(reads, lifecycle.FleetFile), told               // so does what is allowed
}
