package supply

import "kiban.dev/kiban/lifecycle"

// checkBundle holds a bundle against the lock file of the site that it is used for, and says what it lacks.
// The architectures of its machines are not known before they were asked: k0s is checked for those that the bundle holds.
func checkBundle(index Index, site lifecycle.Site) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	fail := func(summary, detail, hint string) {
		ds = append(ds, lifecycle.Errorf(site.Name, "%s", summary).Because(detail).Try(hint))
	}
	if site.Pins == nil {
		fail("a bundle is used with a lock file only",
			"Without "+lifecycle.PinsFile+" nothing says that what is in the bundle is what the repository means.", "kiban pin "+site.Name)
		return ds
	}
	again := "Make it again from this revision: kiban bundle " + site.Name + " -o FILE"
	held := func(what, locked, bundled string) {
		switch {
		case locked == "":
			fail(what+" is not in the lock file", "The repository has changed since "+lifecycle.PinsFile+" was written.", "kiban pin "+site.Name)
		case bundled == "":
			fail(what+" is not in the bundle", "The bundle was made for "+index.Site+", at another revision.", again)
		case locked != bundled:
			fail(what+" is another one in the bundle", "The lock file says "+locked+", the bundle "+bundled+".", again)
		}
	}
	needs := NeedsOf(site)
	for _, c := range needs.Charts {
		if !Remote(c.Repo) {
			continue
		}
		locked, _ := site.Pins.Chart(c)
		bundled, _ := index.Pins.Chart(c)
		held("chart "+c.Name+" "+c.Version, locked.Digest, bundled.Digest)
	}
	for _, m := range needs.Manifests {
		locked, _ := site.Pins.Manifest(m)
		bundled, _ := index.Pins.Manifest(m)
		held("manifest "+m, locked.Digest, bundled.Digest)
	}
	for _, v := range needs.Versions {
		for _, arch := range index.Arch {
			id := v.String() + "/" + arch
			held("k0s "+id, site.Pins.K0s[id], index.Pins.K0s[id])
		}
	}
	return ds
}
