package site

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"path"
	"strings"
)

// knownHosts is which hosts a known_hosts file has keys of. Whether a key is the right one is for the connection to say.
type knownHosts struct {
	plain   map[string]bool
	pattern []string
	hashed  [][2][]byte // salt, HMAC
}

func parseKnownHosts(content string) knownHosts {
	known := knownHosts{plain: map[string]bool{}}
	for line := range strings.Lines(content) {
		fields := strings.Fields(line)
		if len(fields) > 0 && fields[0] == "@cert-authority" {
			fields = fields[1:]
		}
		if len(fields) < 3 || strings.HasPrefix(fields[0], "#") || strings.HasPrefix(fields[0], "@") {
			continue // blank, a comment, or a revoked key
		}
		for _, name := range strings.Split(fields[0], ",") {
			switch {
			case strings.HasPrefix(name, "|1|"):
				if salt, sum, ok := strings.Cut(name[3:], "|"); ok {
					s, err1 := base64.StdEncoding.DecodeString(salt)
					h, err2 := base64.StdEncoding.DecodeString(sum)
					if err1 == nil && err2 == nil {
						known.hashed = append(known.hashed, [2][]byte{s, h})
					}
				}
			case strings.ContainsAny(name, "*?"):
				known.pattern = append(known.pattern, name)
			default:
				known.plain[name] = true
			}
		}
	}
	return known
}

// knownName is how known_hosts calls an address. The port is left out of entries for port 22.
func knownName(address string, port int) string {
	if port == 22 {
		return address
	}
	return fmt.Sprintf("[%s]:%d", address, port)
}

// has reports whether there is an entry for an address.
func (k knownHosts) has(address string, port int) bool {
	name := knownName(address, port)
	if k.plain[name] {
		return true
	}
	for _, p := range k.pattern {
		if port != 22 && !strings.HasPrefix(p, "[") {
			continue // for OpenSSH "*" is every port, for the client that kiban uses it is 22: write [*]:2222
		}
		if ok, err := path.Match(strings.NewReplacer("[", `\[`, "]", `\]`).Replace(p), name); err == nil && ok {
			return true
		}
	}
	for _, h := range k.hashed {
		mac := hmac.New(sha1.New, h[0])
		mac.Write([]byte(name))
		if hmac.Equal(mac.Sum(nil), h[1]) {
			return true
		}
	}
	return false
}
