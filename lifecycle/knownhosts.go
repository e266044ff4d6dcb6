package lifecycle

import (
	"crypto/hmac"
	"crypto/sha1" // of the file format
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// KnownHosts is a known_hosts file, read as ssh(1) reads it: which lines speak of which machine. Whether a machine has the key of such a
// line is for the connection to say. The format is that of sshd(8).
type KnownHosts struct {
	lines []KnownHost
	// plain are the lines that names stand in as they are; those with patterns, exceptions and hashes are odd.
	plain map[string][]int
	odd   []int
}

// KnownHost is a line of known_hosts.
type KnownHost struct {
	Line int // the first is 1
	// Marker is "@cert-authority", "@revoked" or "".
	Marker string
	// names are what the line is for, as it is written there.
	names string
	// Type and Key are its key, as the file has it.
	Type, Key string
}

// MarkerAuthority and MarkerRevoked begin lines of keys that sign machines' certificates, and of keys that are never to be trusted.
const (
	MarkerAuthority = "@cert-authority"
	MarkerRevoked   = "@revoked"
)

// ReadKnownHosts reads a file. Lines that make no sense are passed over, as ssh does.
func ReadKnownHosts(content string) KnownHosts {
	k := KnownHosts{plain: map[string][]int{}}
	number := 0
	for line := range strings.Lines(content) {
		number++
		fields := strings.Fields(line)
		h := KnownHost{Line: number}
		if len(fields) > 0 && (fields[0] == MarkerAuthority || fields[0] == MarkerRevoked) {
			h.Marker, fields = fields[0], fields[1:]
		}
		if len(fields) < 3 || strings.HasPrefix(fields[0], "#") || strings.HasPrefix(fields[0], "@") {
			continue
		}
		h.names, h.Type, h.Key = fields[0], fields[1], fields[2]
		k.lines = append(k.lines, h)
		at := len(k.lines) - 1
		if strings.HasPrefix(h.names, "|") || strings.ContainsAny(h.names, "*?!") {
			k.odd = append(k.odd, at)
			continue
		}
		for name := range strings.SplitSeq(strings.ToLower(h.names), ",") {
			k.plain[name] = append(k.plain[name], at)
		}
	}
	return k
}

// Of are the lines that ssh goes by for a machine, in the file's order. Where none has a key for its port, those without a port speak of
// it, too.
func (k KnownHosts) Of(address string, port int) []KnownHost {
	var found []int
	for _, name := range knownAs(address, port) {
		found = append(found, k.plain[name]...)
		for _, at := range k.odd {
			if k.lines[at].speaksOf(name) {
				found = append(found, at)
			}
		}
		if slices.ContainsFunc(found, func(at int) bool { return k.lines[at].Marker != MarkerRevoked }) {
			break
		}
	}
	slices.Sort(found)
	var out []KnownHost
	for _, at := range slices.Compact(found) {
		out = append(out, k.lines[at])
	}
	return out
}

// Knows reports whether a line has a key that a machine may show.
func (k KnownHosts) Knows(address string, port int) bool {
	return slices.ContainsFunc(k.Of(address, port), func(h KnownHost) bool { return h.Marker != MarkerRevoked })
}

// Damaged are the lines whose key is none of the type that they name: whoever reads on has no key there.
func (k KnownHosts) Damaged() []KnownHost {
	return slices.DeleteFunc(slices.Clone(k.lines), KnownHost.whole)
}

// whole reports whether the key says the type that the line does. Lines of the protocol's first version, which nobody speaks any more, have
// a number in its place.
func (h KnownHost) whole() bool {
	if strings.Trim(h.Type, "0123456789") == "" {
		return true
	}
	b, err := base64.StdEncoding.DecodeString(h.Key)
	if err != nil || len(b) < 4 {
		return false
	}
	n := int(binary.BigEndian.Uint32(b))
	return n == len(h.Type) && len(b) > 4+n && string(b[4:4+n]) == h.Type
}

// Revoked are the lines with keys that are never to be trusted, whoever shows them.
func (k KnownHosts) Revoked() []KnownHost {
	return slices.DeleteFunc(slices.Clone(k.lines), func(h KnownHost) bool { return h.Marker != MarkerRevoked })
}

// KnownName is how known_hosts calls a machine. The port is left out where it is 22.
func KnownName(address string, port int) string {
	if port == 22 {
		return address
	}
	return fmt.Sprintf("[%s]:%d", address, port)
}

// knownAs are the names that a machine is looked up by, the first that has a key counts. Of those for port 22, the last two are what other
// programs than ssh write.
func knownAs(address string, port int) []string {
	address = strings.ToLower(address)
	if port != 22 {
		return []string{KnownName(address, port), address}
	}
	return []string{address, "[" + address + "]:22", "[" + address + "]"}
}

// speaksOf reports whether one of the line's patterns means the name, which is in lower case, and none excepts it.
func (h KnownHost) speaksOf(name string) bool {
	if strings.HasPrefix(h.names, "|") {
		return hashedName(h.names, name)
	}
	matched := false
	for pattern := range strings.SplitSeq(strings.ToLower(h.names), ",") {
		pattern, not := strings.CutPrefix(pattern, "!")
		switch {
		case !matches(pattern, name):
		case not:
			return false
		default:
			matched = true
		}
	}
	return matched
}

// hashedName reports whether a name is the one that "|1|salt|hash" stands for.
func hashedName(hashed, name string) bool {
	salt, sum, ok := strings.Cut(strings.TrimPrefix(hashed, "|1|"), "|")
	s, err1 := base64.StdEncoding.DecodeString(salt)
	h, err2 := base64.StdEncoding.DecodeString(sum)
	if !ok || err1 != nil || err2 != nil || !strings.HasPrefix(hashed, "|1|") {
		return false
	}
	mac := hmac.New(sha1.New, s)
	mac.Write([]byte(name))
	return hmac.Equal(mac.Sum(nil), h)
}

// matches is match_pattern of OpenSSH: "*" is any characters, "?" any one. It goes back to the last "*" only, which is enough.
func matches(pattern, name string) bool {
	p, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
