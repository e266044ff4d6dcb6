package posix

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

const allBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// octal reads an octal mode.
func octal(s string) (fs.FileMode, bool) {
	n, err := strconv.ParseUint(s, 8, 32)
	if err != nil || n > 0o7777 {
		return 0, false
	}
	m := fs.FileMode(n & 0o777)
	for bit, flag := range map[uint64]fs.FileMode{0o1000: fs.ModeSticky, 0o2000: fs.ModeSetgid, 0o4000: fs.ModeSetuid} {
		if n&bit != 0 {
			m |= flag
		}
	}
	return m, true
}

// parseMode reads an octal mode, or a symbolic one ("u+x,go-w") that alters the mode that a file has; without "ugoa" the mask counts. An
// octal mode of at most four digits leaves a folder's set-user and set-group bits, as GNU has it.
func parseMode(s string, have, umask fs.FileMode) (fs.FileMode, error) {
	dir := have.IsDir()
	old := have & allBits
	if m, ok := octal(s); ok {
		if dir && len(s) < 5 {
			m |= old & (fs.ModeSetuid | fs.ModeSetgid)
		}
		return m, nil
	}
	m := old
	for _, part := range strings.Split(s, ",") {
		next, err := symbolic(part, m, umask, dir)
		if err != nil {
			return 0, fmt.Errorf("invalid mode: '%s'", s)
		}
		m = next
	}
	return m, nil
}

// classBits are the bits of the permissions r, w and x for u, g and o.
func classBits(who fs.FileMode, perms fs.FileMode) fs.FileMode {
	var m fs.FileMode
	for shift := 0; shift <= 6; shift += 3 {
		if who&(7<<shift) != 0 {
			m |= perms << shift
		}
	}
	return m
}

// symbolic applies one clause: [ugoa]*([-+=]([rwxXst]*|[ugo]))+
func symbolic(part string, m, umask fs.FileMode, dir bool) (fs.FileMode, error) {
	var who fs.FileMode
	i := 0
	for ; i < len(part) && strings.IndexByte("ugoa", part[i]) >= 0; i++ {
		who |= map[byte]fs.FileMode{'u': 0o700, 'g': 0o070, 'o': 0o007, 'a': 0o777}[part[i]]
	}
	mask := fs.FileMode(0)
	implied := who == 0
	if implied {
		who, mask = 0o777, umask
	}
	if i == len(part) || strings.IndexByte("+-=", part[i]) < 0 {
		return 0, fs.ErrInvalid
	}
	for i < len(part) {
		op := part[i]
		if strings.IndexByte("+-=", op) < 0 {
			return 0, fs.ErrInvalid
		}
		end := i + 1
		for end < len(part) && strings.IndexByte("+-=", part[end]) < 0 {
			end++
		}
		bits, err := permissions(part[i+1:end], who, m, dir)
		if err != nil {
			return 0, err
		}
		bits &^= mask
		switch op {
		case '+':
			m |= bits
		case '-':
			m &^= bits
		default:
			m = m&^cleared(who, implied, dir) | bits
		}
		i = end
	}
	return m, nil
}

// cleared is what "=" takes away first. A folder keeps its set-user and set-group bits unless they are named.
func cleared(who fs.FileMode, implied, dir bool) fs.FileMode {
	c := who
	if who&0o700 != 0 && !dir {
		c |= fs.ModeSetuid
	}
	if who&0o070 != 0 && !dir {
		c |= fs.ModeSetgid
	}
	if who == 0o777 || implied {
		c |= fs.ModeSticky
	}
	return c
}

func permissions(s string, who, m fs.FileMode, dir bool) (fs.FileMode, error) {
	if len(s) == 1 && strings.IndexByte("ugo", s[0]) >= 0 { // the permissions of another class
		shift := map[byte]int{'u': 6, 'g': 3, 'o': 0}[s[0]]
		return classBits(who, m>>shift&7), nil
	}
	var perms, special fs.FileMode
	for _, ch := range s {
		switch ch {
		case 'r':
			perms |= 4
		case 'w':
			perms |= 2
		case 'x':
			perms |= 1
		case 'X':
			if dir || m&0o111 != 0 {
				perms |= 1
			}
		case 's':
			if who&0o700 != 0 {
				special |= fs.ModeSetuid
			}
			if who&0o070 != 0 {
				special |= fs.ModeSetgid
			}
		case 't':
			special |= fs.ModeSticky
		default:
			return 0, fs.ErrInvalid
		}
	}
	return classBits(who, perms) | special, nil
}

// modeOption is the mode of an -m option, or the default. A symbolic one alters from.
func (c *Call) modeOption(o options, def, from fs.FileMode) (fs.FileMode, error) {
	if !o.has("m", "mode") {
		return def, nil
	}
	return parseMode(o.value("m", "mode"), from, c.session.umask)
}
