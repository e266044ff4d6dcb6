package site

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle/allowed"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// The rules here hold that a Cluster document describes machines, and does no more: package allowed says what that is.

// refusal is a finding at a place, unless there is nothing to refuse.
func refusal(at overlay.Place, of string, r allowed.Refusal) []finding {
	if !r.Refused() {
		return nil
	}
	return []finding{wrong(at, of+r.Summary, r.Why, r.Try)}
}

// checkAllowed judges what hosts say of SSH, of k0s's arguments, and of where things lie on them.
func checkAllowed(c clusterDocument) []finding {
	var found []finding
	for _, h := range c.Spec.Hosts {
		of := fmt.Sprintf("host %s: ", h.Hostname)
		at := func(keys ...string) overlay.Place { return hostPlace(h.Hostname, keys...) }
		keys := []string{"ssh"}
		for s := h.SSH; s != nil; s = s.Bastion {
			if s.Address != "" && !substitution.MatchString(s.Address) { // which is told as what it is
				found = append(found, refusal(at(append(slices.Clone(keys), "address")...), of, allowed.Address(s.Address))...)
			}
			if s.User != "" && !substitution.MatchString(s.User) {
				found = append(found, refusal(at(append(slices.Clone(keys), "user")...), of, allowed.User(s.User))...)
			}
			for _, name := range slices.Sorted(maps.Keys(s.Options)) {
				found = append(found, refusal(at(append(slices.Clone(keys), "options", name)...), of, allowed.SSHOption(name, s.Options[name]))...)
			}
			keys = append(keys, "bastion")
		}
		for _, entry := range allowed.Joined(h.InstallFlags) {
			found = append(found, refusal(at("installFlags", overlay.Index(flagIndex(h.InstallFlags, entry))), of, allowed.InstallFlag(entry,
				nil))...)
		}
		for _, p := range []struct {
			field, value string
			judge        func(string) allowed.Refusal
		}{{"k0sInstallPath", h.K0sInstallPath, allowed.Binary}, {"dataDir", h.DataDir, allowed.DataDir},
			{"kubeletRootDir", h.KubeletRootDir, allowed.DataDir}} {
			if p.value != "" {
				found = append(found, refusal(at(p.field), of, p.judge(p.value))...)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(h.Environment)) {
			if !variableForm.MatchString(name) || strings.ContainsAny(h.Environment[name], "\n\r\x00") {
				found = append(found, wrong(at("environment", name), of+fmt.Sprintf("%q is no environment variable of one line", name), "",
					"Name it of letters, digits and _, and give it one line."))
			}
		}
	}
	return found
}

// flagIndex is where a joined entry begins in the list as it is written.
func flagIndex(entries []string, joined string) int {
	return max(0, slices.IndexFunc(entries, func(e string) bool { return strings.HasPrefix(joined, e) }))
}

// machine is what of a host decides where its files may go.
func (h hostDocument) machine() allowed.Machine {
	m := allowed.Machine{Binary: h.K0sInstallPath, DataDir: h.DataDir}
	for _, entry := range allowed.Joined(h.InstallFlags) {
		switch name, value := allowed.Flag(entry); name {
		case "--data-dir":
			m.DataDir = cmp.Or(value, m.DataDir)
		case "--config":
			m.ConfigFile = value
		case "--token-file":
			m.TokenFile = value
		}
	}
	return m
}

// checkDestinations judges where hosts' files go: those of the Cluster document, and those of the Site.
func (l *loader) checkDestinations() []finding {
	var found []finding
	said := map[string]bool{}
	for _, host := range l.site.Cluster.Hosts {
		i := slices.IndexFunc(l.cluster.Spec.Hosts, func(h hostDocument) bool { return strings.EqualFold(h.Hostname, host.Name) })
		if i < 0 {
			continue
		}
		declared := l.cluster.Spec.Hosts[i]
		for _, file := range host.Files {
			at := l.filePlace(declared, file.Path)
			for _, f := range refusal(at, "", declared.machine().File(file.Path, l.site.Fleet.HostFiles)) {
				if key := overlay.Dotted(at.Path) + f.summary; !said[key] {
					said[key] = true
					found = append(found, f)
				}
			}
		}
	}
	return found
}

// filePlace is where a file of a host is declared.
func (l *loader) filePlace(h hostDocument, file string) overlay.Place {
	if _, ofSite := l.declared.Spec.Files[file]; ofSite {
		return sitePlace("spec", "files", file)
	}
	return hostPlace(h.Hostname, "files", overlay.Index(fileIndex(h.Files, file)))
}

// fileIndex is which entry of a host's files puts one at a path.
func fileIndex(files []fileDocument, path string) int {
	return max(0, slices.IndexFunc(files, func(f fileDocument) bool {
		return f.Dst == path || (f.DstDir != "" && strings.HasPrefix(path, strings.TrimSuffix(f.DstDir, "/")+"/") &&
			(f.Dst == "" || strings.HasSuffix(path, "/"+f.Dst)))
	}))
}
