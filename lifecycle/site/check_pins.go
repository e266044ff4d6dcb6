package site

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
	"kiban.dev/kiban/lifecycle/supply"
)

// readPins reads the lock file beside the kustomization, and takes the k0s checksums from it.
func (l *loader) readPins() {
	file := filepath.Join(l.site.Dir, lifecycle.PinsFile)
	b, err := l.readLocal(file)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	name := l.tree.Rel(file)
	locked, lines, parsed := (*lifecycle.Pins)(nil), supply.PinLines(nil), err
	if err == nil {
		l.lock = b
		locked, lines, parsed = supply.ParsePins(name, b)
	}
	if parsed != nil {
		if !l.opts.Unpinned {
			l.found = append(l.found, lifecycle.AsDiagnostics(parsed, "the lock file can't be read")...)
		}
		return
	}
	l.site.Pins = locked
	if !l.opts.Unpinned {
		l.fillChecksums(name, lines)
		l.add(checkPins(*l.site, name, lines)...)
	}
}

// fillChecksums puts the locked checksums of k0s to those that the Site document has.
func (l *loader) fillChecksums(name string, lines supply.PinLines) {
	sums := map[string]string{}
	for _, key := range sortedKeys(l.site.Pins.K0s) {
		sum := lifecycle.DigestHex(l.site.Pins.K0s[key])
		if own, given := l.declared.Spec.Binaries.SHA256[key]; given && own != sum {
			l.add(wrong(sitePlace("spec", "binaries", "sha256", key), fmt.Sprintf("the checksum of k0s %s is not the one that %s has", key, name),
				fmt.Sprintf("Line %d there says %s.", lines[key], sum),
				"Find out which of the two is right; keep the Site's only where there is no lock file."))
		}
		sums[key] = sum
	}
	for key, sum := range l.declared.Spec.Binaries.SHA256 {
		sums[key] = sum
	}
	if len(sums) > 0 {
		l.site.Binary.SHA256 = sums
	}
}

// isRemote reports whether a chart repository or a manifest is fetched over the network.
func isRemote(where string) bool { return strings.Contains(where, "://") }

// checkPins holds that the lock file covers what the site declares.
func checkPins(site lifecycle.Site, name string, lines supply.PinLines) []finding {
	hint := "kiban pin " + site.Name
	mismatch := func(line int, detail string) finding {
		at := overlay.Place{Subject: name}
		if line > 0 {
			at.Subject = fmt.Sprintf("%s:%d", name, line)
		}
		return wrong(at, lifecycle.PinsFile+" does not match", detail, hint)
	}
	var found []finding
	for _, a := range site.Addons {
		if a.Chart != nil && isRemote(a.Chart.Repo) {
			if _, pinned := site.Pins.Chart(*a.Chart); !pinned {
				line, has := pinnedOtherwise(site.Pins, *a.Chart, lines)
				found = append(found, mismatch(line, fmt.Sprintf("Addon %s (%s) wants chart %s %s of %s; the file has %s.", a.Name, a.Source,
					a.Chart.Name, a.Chart.Version, a.Chart.Repo, has)))
			}
		}
		for _, m := range a.Manifests {
			if _, pinned := site.Pins.Manifest(m); isRemote(m) && !pinned {
				found = append(found, mismatch(0, fmt.Sprintf("Addon %s (%s) wants %s; the file does not have it.", a.Name, a.Source, m)))
			}
		}
	}
	for _, v := range wantedVersions(site) {
		if !slices.ContainsFunc(sortedKeys(site.Pins.K0s), func(key string) bool { return strings.HasPrefix(key, v+"/") }) {
			found = append(found, mismatch(0, fmt.Sprintf("The site wants k0s %s; the file has no checksum of it.", v)))
		}
	}
	return found
}

// pinnedOtherwise says what a lock file has of a chart in another version, or from elsewhere.
func pinnedOtherwise(p *lifecycle.Pins, c lifecycle.Chart, lines supply.PinLines) (line int, has string) {
	for _, pin := range p.Charts {
		if pin.Name == c.Name && pin.Repo == c.Repo {
			return lines[supply.ChartKey(pin)], pin.Version
		}
	}
	for _, pin := range p.Charts {
		if pin.Name == c.Name {
			return lines[supply.ChartKey(pin)], fmt.Sprintf("%s of %s", pin.Version, pin.Repo)
		}
	}
	return 0, "no such chart"
}

// wantedVersions are those of k0s that the site is to run, now or on the way there. An external site runs none.
func wantedVersions(site lifecycle.Site) []string {
	var out []string
	for _, v := range append(slices.Clone(site.Policy.Path), site.Cluster.Version) {
		if !v.IsZero() && site.Provider != lifecycle.ProviderExternal {
			out = append(out, v.String())
		}
	}
	return out
}

// checkUnpinned warns of a site that would take whatever it is served.
func checkUnpinned(site lifecycle.Site) []finding {
	if site.Pins != nil {
		return nil
	}
	for _, a := range site.Addons {
		at, what := addonPlace(a.Name, "spec", "chart", "version"), ""
		if a.Chart != nil && isRemote(a.Chart.Repo) {
			what = "chart " + a.Chart.Name + " " + a.Chart.Version
		}
		if i := slices.IndexFunc(a.Manifests, isRemote); i >= 0 {
			at, what = addonPlace(a.Name, "spec", "manifests", overlay.Index(i)), a.Manifests[i]
		}
		if what != "" {
			return []finding{doubtful(at, "the site has no "+lifecycle.PinsFile,
				fmt.Sprintf("Whatever is served as %s would be installed, whoever put it there.", what), "kiban pin "+site.Name)}
		}
	}
	return nil
}
