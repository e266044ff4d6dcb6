package main

import (
	"regexp"
	"testing"

	"kiban.dev/kiban/lab/machine"
)

// TestChanging: a command is numbered where it changed the disk, but for /run, or may have started or stopped something; looks are not. The
// same command in another lab, with other addresses and random names, is found again.
func TestChanging(t *testing.T) {
	command := func(on, line string, paths ...string) (out []machine.Record) {
		for _, p := range paths {
			out = append(out, machine.Record{Kind: machine.KindChange, Machine: on, Command: line, What: "write", Path: p})
		}
		return append(out, machine.Record{Kind: machine.KindCommand, Machine: on, Command: line})
	}
	var rs []machine.Record
	for _, c := range [][]machine.Record{
		command("worker-1", "cat /etc/hostname"),
		command("worker-1", "mv -f /tmp/up.8f3a9c01 /usr/local/bin/k0s", "/tmp/up.8f3a9c01", "/usr/local/bin/k0s"),
		command("controller-1", "renew the lock", "/run/kiban/beat.run"),
		command("worker-1", "systemctl stop k0sworker"),
		command("worker-1", "systemctl reboot"),
		command("worker-1", "mv -f /tmp/up.77aa9c02 /usr/local/bin/k0s", "/usr/local/bin/k0s"),
		command("worker-1", "echo 127.160.0.101 > /etc/hosts", "/etc/hosts"),
		command("controller-1", "k0s token invalidate --data-dir=/var/lib/k0s 1ni1pe"),
	} {
		rs = append(rs, c...)
	}
	got := changing(rs)
	want := []struct {
		number int
		other  string
	}{{1, "mv -f /tmp/up.00000000 /usr/local/bin/k0s"}, {1, "systemctl stop k0sworker"},
		{1, "systemctl reboot"}, {2, "mv -f /tmp/up.1234567a /usr/local/bin/k0s"},
		{1, "echo 127.160.14.101 > /etc/hosts"}, {1, "k0s token invalidate --data-dir=/var/lib/k0s 0a1b2c"}}
	if len(got) != len(want) {
		t.Fatalf("%d commands: %v", len(got), got)
	}
	for i, w := range want {
		if got[i].number != w.number || !regexp.MustCompile(got[i].match).MatchString(w.other) {
			t.Errorf("%v, matching %s; want number %d, and %q to match", got[i], got[i].match, w.number, w.other)
		}
		if regexp.MustCompile(got[i].match).MatchString(w.other + " && reboot") {
			t.Errorf("%v also matches more than it is", got[i])
		}
	}
}

func TestSpread(t *testing.T) {
	all := trials(killPoints(11))
	if got := spread(all, 0, 3); len(got) != len(all) {
		t.Errorf("%d of %d where all are asked for", len(got), len(all))
	}
	a, b := spread(all, 4, 0), spread(all, 4, 1)
	if len(a) != 4 || a[0].String() == b[0].String() || a[1].String() != all[5].String() {
		t.Errorf("%v and %v of %v", a, b, all)
	}
}
