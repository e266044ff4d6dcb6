package posix

import (
	"strconv"
	"strings"

	"kiban.dev/kiban/lab/machine/disk"
)

// account finds a user: one of the machine's own, or one that a program has added to /etc/passwd.
func (s *System) account(name string) (disk.User, bool) {
	if u, ok := s.Users[name]; ok {
		return u, true
	}
	for _, u := range s.added() {
		if u.Name == name {
			return u, true
		}
	}
	return disk.User{}, false
}

// added are the users of /etc/passwd that the machine did not begin with.
func (s *System) added() []disk.User {
	b, err := s.Disk.As(disk.Root(), nil).ReadFile("/etc/passwd")
	if err != nil {
		return nil
	}
	var out []disk.User
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) < 6 {
			continue
		}
		if _, own := s.Users[f[0]]; own {
			continue
		}
		uid, uerr := strconv.Atoi(f[2])
		gid, gerr := strconv.Atoi(f[3])
		if uerr == nil && gerr == nil {
			out = append(out, disk.User{Name: f[0], UID: uid, GID: gid, Home: f[5]})
		}
	}
	return out
}

// uid is a user's number, by its name or as it is.
func (s *System) uid(name string) (int, error) {
	if u, ok := s.account(name); ok {
		return u.UID, nil
	}
	return strconv.Atoi(name)
}

func (s *System) userName(uid int) string {
	for _, u := range s.Users {
		if u.UID == uid {
			return u.Name
		}
	}
	for _, u := range s.added() {
		if u.UID == uid {
			return u.Name
		}
	}
	return "UNKNOWN"
}
