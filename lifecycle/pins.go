package lifecycle

import "errors"

// PinsFile is the name of a site's lock file, beside its kustomization.
const PinsFile = "kiban.lock"

// Pins are what a site's lock file holds: the exact bytes that its versions stand for.
type Pins struct {
	// Charts are sorted by repository, name and version.
	Charts []ChartPin `json:"charts,omitempty"`
	// Manifests are sorted by URL.
	Manifests []ManifestPin `json:"manifests,omitempty"`
	// K0s are the checksums of k0s binaries, "sha256:<hex>", by "<version>/<arch>".
	K0s map[string]string `json:"k0s,omitempty"`
}

// ChartPin is one chart archive.
type ChartPin struct {
	Repo    string `json:"repo"`
	Name    string `json:"name"`
	Version string `json:"version"`
	// Digest is of the archive, "sha256:<hex>"; of a folder, of its files' names and contents.
	Digest string `json:"digest"`
}

// ManifestPin is one file of manifests.
type ManifestPin struct {
	URL    string `json:"url"`
	Digest string `json:"digest"`
}

// Chart finds a chart's pin.
func (p *Pins) Chart(c Chart) (ChartPin, bool) {
	if p == nil {
		return ChartPin{}, false
	}
	for _, pin := range p.Charts {
		if pin.Repo == c.Repo && pin.Name == c.Name && pin.Version == c.Version {
			return pin, true
		}
	}
	return ChartPin{}, false
}

// Manifest finds the pin of a file of manifests.
func (p *Pins) Manifest(url string) (ManifestPin, bool) {
	if p == nil {
		return ManifestPin{}, false
	}
	for _, pin := range p.Manifests {
		if pin.URL == url {
			return pin, true
		}
	}
	return ManifestPin{}, false
}

// Empty reports whether nothing is pinned.
func (p Pins) Empty() bool { return len(p.Charts)+len(p.Manifests)+len(p.K0s) == 0 }

// ErrNotCached is the cause of a diagnostic that says: these bytes are not on this machine, and the network was not to be asked for them.
var ErrNotCached = errors.New("not on this machine")
