package site

import (
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// readHostKeys notes of each host which keys its known_hosts file has for it: another key is another machine that is trusted. A file that
// can't be read has none; whether there must be one is for checkKnownHosts to say.
func (l *loader) readHostKeys() {
	content, err := l.readLocal(l.site.SSH.KnownHosts)
	if err != nil {
		return
	}
	keys := indexKeys(string(content))
	for i := range l.site.Cluster.Hosts {
		h := &l.site.Cluster.Hosts[i]
		if found := keys.of(h.Address, h.Port); len(found) > 0 {
			h.HostKeys = lifecycle.Digest([]byte(strings.Join(found, "\n")))
		}
	}
}

// keyIndex is the lines of a known_hosts file by the names that they are for; those with patterns and hashes are for whom they match.
type keyIndex struct {
	plain map[string][]string
	match []matchedKey
}

type matchedKey struct {
	names knownHosts
	key   string
}

func indexKeys(content string) keyIndex {
	index := keyIndex{plain: map[string][]string{}}
	for line := range strings.Lines(content) {
		fields := strings.Fields(line)
		marker := ""
		if len(fields) > 0 && strings.HasPrefix(fields[0], "@") { // a certificate authority, or a key that is revoked
			marker, fields = fields[0]+" ", fields[1:]
		}
		if len(fields) < 3 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		key := marker + fields[1] + " " + fields[2]
		for name := range strings.SplitSeq(fields[0], ",") {
			if strings.HasPrefix(name, "|1|") || strings.ContainsAny(name, "*?") {
				index.match = append(index.match, matchedKey{parseKnownHosts(name + " " + fields[1] + " " + fields[2]), key})
			} else {
				index.plain[name] = append(index.plain[name], key)
			}
		}
	}
	return index
}

// of are the keys of an address, sorted.
func (x keyIndex) of(address string, port int) []string {
	found := slices.Clone(x.plain[knownName(address, port)])
	for _, m := range x.match {
		if m.names.has(address, port) {
			found = append(found, m.key)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
