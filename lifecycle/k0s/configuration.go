package k0s

import (
	"bytes"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// unreadableConfig stands for a k0s.yaml that is no configuration: nothing of it is kept but its digest, for it may be any file.
const unreadableConfig = "not a configuration"

// configuration is a machine's k0s.yaml as it is compared, and its digest. Only a controller has one that means something; of another
// machine's file, and of one that is no mapping, only the digest is kept.
func configuration(text []byte, role lifecycle.Role) (config []byte, digested string) {
	if !role.IsController() {
		return nil, digest(text)
	}
	if !sizable(text) {
		return []byte(unreadableConfig), digest(text)
	}
	c, err := canonical(text)
	if err != nil || !bytes.HasPrefix(c, []byte("{")) && string(c) != "null" {
		return []byte(unreadableConfig), digest(text)
	}
	return c, digest(c)
}

// maxExpanded bounds a configuration with its aliases written out, in bytes; nodeWeight is what a node costs beside its text.
const (
	maxExpanded = 4 << 20
	nodeWeight  = 32
)

// sizable reports whether YAML stays within bounds when its aliases are written out: a few hundred bytes can stand for gigabytes.
func sizable(text []byte) bool {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return false
	}
	room := maxExpanded
	return fits(&doc, &room)
}

func fits(n *yaml.Node, room *int) bool {
	if *room -= nodeWeight + len(n.Value); *room < 0 {
		return false
	}
	if n.Alias != nil {
		return fits(n.Alias, room)
	}
	for _, c := range n.Content {
		if !fits(c, room) {
			return false
		}
	}
	return true
}
