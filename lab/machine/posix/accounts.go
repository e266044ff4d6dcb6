package posix

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"kiban.dev/kiban/lab/machine/disk"
)

const errNotPermitted = syscall.EPERM

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

// accountOf finds a user by the number in text.
func (s *System) accountOf(text string) (disk.User, bool) {
	uid, err := strconv.Atoi(text)
	if err != nil {
		return disk.User{}, false
	}
	return s.account(s.userName(uid))
}

// entries are the lines of one of the files of accounts, in fields.
func (s *System) entries(file string, fields int) [][]string {
	b, err := s.Disk.As(disk.Root(), nil).ReadFile(file)
	if err != nil {
		return nil
	}
	var out [][]string
	for line := range strings.Lines(string(b)) {
		if f := strings.Split(strings.TrimSpace(line), ":"); len(f) >= fields {
			out = append(out, f)
		}
	}
	return out
}

// added are the users of /etc/passwd that the machine did not begin with.
func (s *System) added() []disk.User {
	var out []disk.User
	for _, f := range s.entries("/etc/passwd", 6) {
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

// gid is a group's number, by its name or as it is. A user whose group is in no file has one of its own name.
func (s *System) gid(name string) (int, error) {
	for _, f := range s.entries("/etc/group", 3) {
		if f[0] == name {
			return strconv.Atoi(f[2])
		}
	}
	if u, ok := s.account(name); ok && s.groupOf(u.GID) == "" {
		return u.GID, nil
	}
	return strconv.Atoi(name)
}

// groupOf is the name of a group in /etc/group, "" when there is none.
func (s *System) groupOf(gid int) string {
	for _, f := range s.entries("/etc/group", 3) {
		if f[2] == strconv.Itoa(gid) {
			return f[0]
		}
	}
	return ""
}

// ownership reads what chown is given: USER, USER:GROUP, USER: (the user's own group) or :GROUP; -1 for what is left as it is.
func (s *System) ownership(text string) (uid, gid int, err error) {
	user, group, both := strings.Cut(text, ":")
	uid, gid = -1, -1
	if user != "" {
		if uid, err = s.uid(user); err != nil {
			return 0, 0, fmt.Errorf("invalid user: '%s'", text)
		}
	}
	switch {
	case both && group != "":
		if gid, err = s.gid(group); err != nil {
			return 0, 0, fmt.Errorf("invalid group: '%s'", text)
		}
	case both && user != "":
		u, ok := s.account(user)
		if !ok {
			return 0, 0, fmt.Errorf("invalid spec: '%s'", text)
		}
		gid = u.GID
	}
	return uid, gid, nil
}

// userName is a user's name, or "UNKNOWN".
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

// groupName is a group's name, or "UNKNOWN".
func (s *System) groupName(gid int) string {
	if g := s.groupOf(gid); g != "" {
		return g
	}
	for _, u := range s.Users {
		if u.GID == gid {
			return u.Name
		}
	}
	for _, u := range s.added() {
		if u.GID == gid {
			return u.Name
		}
	}
	return "UNKNOWN"
}
