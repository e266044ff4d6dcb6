package allowed

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Machine is what of a host decides where its files may go. Empty fields are k0s's defaults.
type Machine struct{ Binary, DataDir, ConfigFile, TokenFile string }

func (m Machine) filled() Machine {
	for _, f := range []struct {
		field *string
		value string
	}{{&m.Binary, "/usr/local/bin/k0s"}, {&m.DataDir, "/var/lib/k0s"}, {&m.ConfigFile, "/etc/k0s/k0s.yaml"}, {&m.TokenFile,
		"/etc/k0s/k0stoken"}} {
		if *f.field == "" {
			*f.field = f.value
		}
	}
	return m
}

// fileDirs are the folders that configuration and data of programs go into: those that a fleet puts on its machines without asking.
func fileDirs() []string { return []string{"/etc", "/mnt", "/opt", "/srv", "/usr/local", "/var"} }

// loginFiles decide who may log in to a machine and become root there, scheduledFiles what it runs by itself. They are below fileDirs, and
// no part of a cluster. Units are not among them: drop-ins of k0s's and containerd's services are declared as files.
func loginFiles() []string {
	return []string{"/etc/passwd", "/etc/passwd-", "/etc/shadow", "/etc/shadow-", "/etc/group", "/etc/group-", "/etc/gshadow", "/etc/gshadow-",
		"/etc/sudoers", "/etc/sudoers.d", "/etc/doas.conf", "/etc/pam.conf", "/etc/pam.d", "/etc/polkit-1", "/etc/ssh", "/etc/dropbear"}
}

func scheduledFiles() []string {
	return []string{"/etc/crontab", "/etc/anacrontab", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly",
		"/etc/cron.monthly", "/var/spool/cron", "/etc/init.d", "/etc/rc.local", "/etc/profile", "/etc/profile.d", "/etc/bash.bashrc",
		"/etc/ld.so.preload", "/etc/update-motd.d"}
}

// File judges where a declared file may go on a machine. declared are the places that the fleet's owners allow beside the usual ones:
// files,
// and folders that end in "/".
func (m Machine) File(p string, declared []string) Refusal {
	m = m.filled()
	hint := "If the fleet's owners want it there, they name it in fleet.yaml: `spec: {hostFiles: [" + p + "]}`."
	at := func(places []string) bool {
		return slices.ContainsFunc(places, func(place string) bool { return p == place || under(p, place) })
	}
	switch {
	case !path.IsAbs(p) || path.Clean(p) != p || p == "/" || !printable(p):
		return Refusal{fmt.Sprintf("%q is no path of a file on a host", p), "", "Write it in full, from the root: /etc/k0s/audit-policy.yaml."}
	case m.own(p):
		return Refusal{p + " is written by kiban itself", "What is declared here and what the cluster needs would overwrite each other.",
			"Declare its content in the Cluster document."}
	case slices.ContainsFunc(declared, func(place string) bool { return p == place || strings.HasSuffix(place, "/") && under(p, place) }):
		return Refusal{}
	case at([]string{m.DataDir + "/pki", m.DataDir + "/etcd", m.DataDir + "/db", m.DataDir + "/bin", m.DataDir + "/kubelet"}):
		return Refusal{p + " is k0s's own", "k0s makes its keys, its database and its programs itself; another's in their place is another's " +
			"cluster.", hint}
	case at(loginFiles()) || strings.Contains(p, "/.ssh/"):
		return Refusal{p + " decides who may log in to the machine", "A merge request to a site does not change that.", hint}
	case at(scheduledFiles()):
		return Refusal{p + " is run by the machine itself", "A file of a cluster is read by a program that the cluster needs.", hint}
	case !under(p, append(fileDirs(), m.DataDir)...):
		return Refusal{p + " is no place for files of a cluster", "Files go below " + strings.Join(fileDirs(),
			", ") + " and k0s's data folder.", hint}
	}
	return Refusal{}
}

// own reports whether kiban or k0s's installation writes a file.
func (m Machine) own(p string) bool {
	return p == m.Binary || strings.HasPrefix(p, m.Binary+".kiban-") || p == m.ConfigFile || p == m.TokenFile ||
		slices.Contains([]string{"/etc/systemd/system/k0scontroller.service", "/etc/systemd/system/k0sworker.service"}, p)
}
