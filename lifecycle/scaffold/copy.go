package scaffold

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// Copy is the overlay of a new site after that of another: its files with the new site's name, machines and version. What is the other
// site's alone stays behind: host keys and the lock file. A Version of "" keeps the other's.
func (s Site) Copy(from string, files []File) ([]File, error) {
	var out []File
	placed := false
	for _, f := range files {
		if f.Path == "known_hosts" || f.Path == "kiban.lock" {
			continue
		}
		if strings.HasSuffix(f.Path, ".yaml") || strings.HasSuffix(f.Path, ".yml") {
			content, has, err := s.adopt(from, f.Content)
			if err != nil {
				return nil, lifecycle.Errorf("overlays/"+from+"/"+f.Path, "the file can't be copied").
					Try("Mend it: kiban validate " + from).
					From(err)
			}
			f.Content, placed = content, placed || has
		}
		out = append(out, f)
	}
	if !placed {
		return nil, lifecycle.Errorf("overlays/"+from, "site %s lists no machines in its own folder", from).
			Because("Where it has them from, a new site would have the same ones.").
			Try("Make the site without --from.")
	}
	return out, nil
}

// adopt gives the Cluster and Site documents of a file the new site's name, and the one with hosts its machines. A file without either
// stays as it is, byte by byte.
func (s Site) adopt(from string, content []byte) (out []byte, hosts bool, err error) {
	docs, err := documents(content)
	if err != nil {
		return nil, false, err
	}
	ours := false
	for _, d := range docs {
		top := d.Content[0]
		api, kind := text(get(top, "apiVersion")), text(get(top, "kind"))
		if (api != k0sctlAPI || kind != "Cluster") && (!strings.HasPrefix(api, "kiban.dev/") || kind != "Site") {
			continue
		}
		ours = true
		if meta := get(top, "metadata"); text(get(meta, "name")) == from {
			set(meta, "name", s.Name)
		}
		if k0s := get(top, "spec", "k0s"); s.Version != "" && text(get(k0s, "version")) != "" {
			set(k0s, "version", s.Version)
		}
		if list := get(top, "spec", "hosts"); list != nil && list.Kind == yaml.SequenceNode {
			if list.Content, err = s.hosts(list.Content); err != nil {
				return nil, false, err
			}
			hosts = true
		}
	}
	if !ours {
		return content, false, nil
	}
	var printed []string
	for _, d := range docs {
		b, err := encode(d)
		if err != nil {
			return nil, false, err
		}
		printed = append(printed, string(b))
	}
	return []byte(strings.Join(printed, "---\n")), hosts, nil
}

// hosts are the site's machines, reached as the other site's of their role are.
func (s Site) hosts(former []*yaml.Node) ([]*yaml.Node, error) {
	var out []*yaml.Node
	for _, m := range s.Machines {
		h := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		ssh := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		if i := slices.IndexFunc(former, func(n *yaml.Node) bool { return text(get(n, "role")) == string(m.Role) }); i >= 0 {
			if like := get(former[i], "ssh"); like != nil {
				var err error
				if ssh, err = unfold(like); err != nil {
					return nil, err
				}
			}
		}
		set(ssh, "address", m.Address)
		set(h, "ssh", "")
		h.Content[1] = ssh
		if isIP(m.Address) {
			set(h, "privateAddress", m.Address)
		}
		set(h, "role", string(m.Role))
		set(h, "hostname", m.Name)
		out = append(out, h)
	}
	return out, nil
}

var ipv4 = regexp.MustCompile(`\b(?:\d{1,3}\.){3}\d{1,3}\b`)

// Leftovers are the addresses that a copied overlay still has from the other site, by file and line. Some are meant, such as a network that
// both have; a virtual address or a pool is not.
func Leftovers(site string, files []File, machines []Machine) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	for _, f := range files {
		for i, line := range strings.Split(string(f.Content), "\n") {
			for _, a := range ipv4.FindAllString(line, -1) {
				if slices.ContainsFunc(machines, func(m Machine) bool { return m.Address == a }) || strings.HasPrefix(strings.TrimSpace(line), "#") {
					continue
				}
				ds = append(ds, lifecycle.Warnf(fmt.Sprintf("overlays/%s/%s:%d", site, f.Path, i+1), "%s is the other site's", a).
					Try("Give this site its own, unless both are to have it."))
			}
		}
	}
	return slices.CompactFunc(ds, func(a, b lifecycle.Diagnostic) bool { return cmp.Compare(a.Error(), b.Error()) == 0 })
}
