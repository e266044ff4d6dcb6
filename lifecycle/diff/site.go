package diff

import (
	"path/filepath"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// fleet compares what the fleet's root allows.
func fleet(from, to lifecycle.Site) []lifecycle.DeclaredChange {
	return fields(lifecycle.FleetFile, "spec", plain(from.Fleet), plain(to.Fleet), texts)
}

// site compares what the Site document says, by the document's own paths.
func site(from, to lifecycle.Site) []lifecycle.DeclaredChange {
	return fields("site", "", siteFields(from, to), siteFields(to, from), texts)
}

// siteFields are a Site's fields. other is the one that it is compared with: a path is written relative to the overlay where both are so.
func siteFields(s, other lifecycle.Site) map[string]any {
	s.SSH.KeyPath = relative(s, s.SSH.KeyPath, other, other.SSH.KeyPath)
	s.SSH.KnownHosts = relative(s, s.SSH.KnownHosts, other, other.SSH.KnownHosts)
	s.Binary.URL = relative(s, s.Binary.URL, other, other.Binary.URL)
	s.Binary.Checksums = relative(s, s.Binary.Checksums, other, other.Binary.Checksums)
	out := map[string]any{}
	for name, v := range settings(s) {
		outer, inner, _ := strings.Cut(name, ".")
		if out[outer] == nil {
			out[outer] = map[string]any{}
		}
		out[outer].(map[string]any)[inner] = v
	}
	return out
}

// relative is a path as seen from its overlay, when it lies in the fleet or when the other site's is the same seen from there.
func relative(s lifecycle.Site, path string, other lifecycle.Site, otherPath string) string {
	if !filepath.IsAbs(path) || s.Dir == "" {
		return path
	}
	rel, err := filepath.Rel(s.Dir, path)
	if err != nil {
		return path
	}
	if otherRel, err := filepath.Rel(other.Dir, otherPath); (err == nil && otherRel == rel) || inFleet(s, path) {
		return rel
	}
	return path
}

// inFleet reports whether a path lies in the repository of the overlay.
func inFleet(s lifecycle.Site, path string) bool {
	return strings.HasPrefix(path, filepath.Dir(filepath.Dir(s.Dir))+string(filepath.Separator))
}
