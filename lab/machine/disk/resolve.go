package disk

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

const maxLinks = 40 // as Linux has it

// resolve turns a path of the machine into one without links, checking that the user may pass through every folder on the way.
// The last element need not exist; whether a link there is followed is the caller's choice.
func (v View) resolve(p string, follow bool) (string, error) {
	if p == "" {
		return "", syscall.ENOENT
	}
	if !strings.HasPrefix(p, "/") {
		p = v.dir + "/" + p
	}
	follow = follow || strings.HasSuffix(p, "/") // "link/" is what the link leads to
	rest := strings.Split(p, "/")
	at, links := "/", 0
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		if err := v.mayPass(at); err != nil {
			return "", err
		}
		next := path.Join(at, name)
		fi, err := os.Lstat(v.disk.Real(next))
		last := lastName(rest)
		switch {
		case err != nil && last:
			return next, nil // absent, or generated
		case err != nil:
			if v.generatedBelow(next) {
				at = next
				continue
			}
			return "", syscall.ENOENT
		case fi.Mode()&fs.ModeSymlink != 0 && (!last || follow):
			if links++; links > maxLinks {
				return "", syscall.ELOOP
			}
			target, err := os.Readlink(v.disk.Real(next))
			if err != nil {
				return "", err
			}
			if strings.HasPrefix(target, "/") {
				at = "/"
			}
			rest = append(strings.Split(target, "/"), rest...)
		case !last && !fi.IsDir():
			return "", syscall.ENOTDIR
		default:
			at = next
		}
	}
	return at, nil
}

// lastName reports whether no further name follows: "a/" and "a/." still end in a.
func lastName(rest []string) bool {
	for _, r := range rest {
		if r != "" && r != "." {
			return false
		}
	}
	return true
}

func (v View) generatedBelow(dir string) bool {
	return v.disk.generated != nil && len(v.disk.generated.Names(dir)) > 0
}

// Permissions asked of a file, as the mode's last three bits.
const (
	Read  fs.FileMode = 4
	Write fs.FileMode = 2
	Exec  fs.FileMode = 1
)

func (v View) mayPass(dir string) error {
	if v.user.UID == 0 {
		return nil
	}
	fi, err := os.Lstat(v.disk.Real(dir))
	if err != nil {
		return nil // a generated folder
	}
	return v.may(v.disk.ownerOf(dir, fi.Mode()), Exec)
}

// may checks one permission. Root may all but execute what nobody may execute.
func (v View) may(o owner, want fs.FileMode) error {
	if v.user.UID == 0 {
		if want&Exec != 0 && o.Mode&0o111 == 0 && !o.folder {
			return syscall.EACCES
		}
		return nil
	}
	have := o.Mode.Perm()
	switch {
	case v.user.UID == o.UID:
		have >>= 6
	case v.user.GID == o.GID:
		have >>= 3
	}
	if have&want != want {
		return syscall.EACCES
	}
	return nil
}

// mayAlter checks that the user may create, remove or rename an entry of the folder that holds p.
func (v View) mayAlter(p string) error {
	dir := path.Dir(p)
	fi, err := os.Lstat(v.disk.Real(dir))
	if err != nil {
		return syscall.ENOENT
	}
	if !fi.IsDir() {
		return syscall.ENOTDIR
	}
	if v.user.UID == 0 {
		return nil
	}
	o := v.disk.ownerOf(dir, fi.Mode())
	if err := v.may(o, Write|Exec); err != nil {
		return err
	}
	if o.Mode&fs.ModeSticky == 0 || o.UID == v.user.UID {
		return nil
	}
	if fi, err := os.Lstat(v.disk.Real(p)); err == nil && v.disk.ownerOf(p, fi.Mode()).UID != v.user.UID {
		return syscall.EPERM
	}
	return nil
}
