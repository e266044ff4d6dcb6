package allowed

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

var pathForm = regexp.MustCompile(`^/[-A-Za-z0-9._+@:/]+$`)

// clean reports whether a path is absolute, in its shortest form, and of plain characters.
func clean(p string) bool { return pathForm.MatchString(p) && path.Clean(p) == p }

// under reports whether a path lies below one of the folders.
func under(p string, dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/") })
}

// unclean is what is wrong with a path that is not clean.
func unclean(what, p string) Refusal {
	return Refusal{fmt.Sprintf("%q can't be %s", p, what),
		"A path on a machine is written in full, in its shortest form, of letters, digits " +
			"and -._+@:.",
		"Write it from the root, such as /var/lib/k0s."}
}

// binaryDirs are the folders that programs are installed in.
func binaryDirs() []string {
	return []string{"/usr/bin", "/usr/sbin", "/usr/local", "/opt", "/var/opt", "/var/usrlocal", "/var/lib/k0s"}
}

// Binary judges where a machine has its k0s. To observe a machine is to run that program as root: so it is called k0s, and lies where
// programs are installed.
func Binary(p string) Refusal {
	switch {
	case !clean(p):
		return unclean("where k0s is installed", p)
	case path.Base(p) != "k0s" || !under(p, binaryDirs()...):
		return Refusal{fmt.Sprintf("k0s can't be installed as %s", p), "Whatever is there would be run as root to see what the machine has.",
			"Name a file called k0s below one of " + strings.Join(binaryDirs(), ", ") + ": /usr/local/bin/k0s, or /opt/bin/k0s on Flatcar."}
	}
	return Refusal{}
}

// systemDirs are the operating system's own folders; sharedDirs hold those of many things, and each has its own below.
func systemDirs() []string {
	return []string{"/bin", "/boot", "/dev", "/efi", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/lost+found", "/proc", "/root", "/run",
		"/sbin",
		"/sys", "/tmp", "/usr", "/var"}
}

func sharedDirs() []string {
	return []string{"/home", "/media", "/mnt", "/opt", "/srv", "/usr/local", "/var/lib", "/var/local", "/var/opt", "/var/usrlocal"}
}

// DataDir judges a folder that k0s or its kubelet is to have to itself. Removing a host empties it.
func DataDir(p string) Refusal {
	if !clean(p) {
		return unclean("a folder of k0s", p)
	}
	system := func(dir string) bool { return p == dir || under(p, dir) }
	if slices.Contains(sharedDirs(), p) || (!under(p, sharedDirs()...) && slices.ContainsFunc(systemDirs(), system)) {
		return Refusal{fmt.Sprintf("%s can't be a folder of k0s", p),
			"k0s has its data folder to itself, and empties it when the host is removed; this one is the operating system's, or shared.",
			"Name one of its own: /var/lib/k0s, or a folder on another disk such as /data/k0s."}
	}
	return Refusal{}
}

// ConfigFile judges where a controller has k0s's configuration. kiban reads that file as root, compares it in the plan, and writes it.
func ConfigFile(p string) Refusal {
	ext := path.Ext(p)
	if !clean(p) || path.Dir(p) != "/etc/k0s" || (ext != ".yaml" && ext != ".yml") {
		return Refusal{fmt.Sprintf("k0s's configuration can't be %s", p), "kiban reads the file as root, compares it in the plan, and writes it.",
			"Remove the flag: it is /etc/k0s/k0s.yaml. Another YAML file in /etc/k0s may be named."}
	}
	return Refusal{}
}

// TokenFile judges where a machine has its join token, which kiban writes when it joins.
func TokenFile(p string) Refusal {
	if !clean(p) || !under(p, "/etc/k0s", "/run", "/var/run", "/var/lib/k0s") || under(p, "/var/lib/k0s/pki", "/run/kiban",
		"/var/run/kiban") ||
		path.Dir(p) == "/etc/k0s" && slices.Contains([]string{".yaml", ".yml"}, path.Ext(p)) {
		return Refusal{fmt.Sprintf("the join token can't be in %s", p), "kiban writes that file when the machine joins.",
			"Remove the flag: it is /etc/k0s/k0stoken. Another file in /etc/k0s, /run or /var/lib/k0s may be named."}
	}
	return Refusal{}
}
