package systemd_test

import (
	"strings"
	"testing"
)

// TestEnvironmentAndCommand starts a service whose program tells what it was given.
func TestEnvironmentAndCommand(t *testing.T) {
	for _, tc := range []struct {
		says        string // the page and its section
		unit        string
		others      map[string]string
		want        string
		cannotStart bool
	}{
		{says: "systemd.service(5), COMMAND LINES: quotes and escapes", unit: `ExecStart=/env a "b c" 'd e' f\x20g --h="i j"`,
			want: `args ["a" "b c" "d e" "f g" "--h=i j"]`},
		{says: "systemd.syntax(7): a backslash joins lines", unit: "ExecStart=/env a \\\n  b", want: `args ["a" "b"]`},
		{says: "systemd.syntax(7): remarks begin with # or ;", unit: "ExecStart=/env\n#Environment=A=1\n;Environment=B=1", want: `env []`},
		{says: "systemd.exec(5), Environment: several, quoted", unit: `ExecStart=/env` + "\n" + `Environment=A=1 "B=two words" 'C=3'`,
			want: `env ["A=1" "B=two words" "C=3"]`},
		{says: "systemd.exec(5), Environment: an empty one begins anew", unit: "ExecStart=/env\nEnvironment=A=1\nEnvironment=\nEnvironment=B=2",
			want: `env ["B=2"]`},
		{says: "systemd.exec(5), EnvironmentFile", unit: "ExecStart=/env\nEnvironmentFile=/etc/env",
			others: map[string]string{"/etc/env": "A=1\n# B=2\n; C=3\nD=\"four five\"\n\n"},
			want:   `env ["A=1" "D=four five"]`},
		{says: "systemd.exec(5), EnvironmentFile: settings from the file override those of Environment",
			unit:   "ExecStart=/env\nEnvironmentFile=/etc/env\nEnvironment=A=1",
			others: map[string]string{"/etc/env": "A=2\n"}, want: `env ["A=1" "A=2"]`},
		{says: "systemd.exec(5), EnvironmentFile: - means that it may be missing", unit: "ExecStart=/env\nEnvironmentFile=-/etc/absent",
			want: `env []`},
		{says: "systemd.exec(5), EnvironmentFile: one that is missing keeps the service from starting",
			unit: "ExecStart=/env\nEnvironmentFile=/etc/absent", cannotStart: true},
		{says: "systemd.unit(5): drop-ins, by name", unit: "ExecStart=/env", others: map[string]string{
			etc + "a.service.d/20.conf": "[Service]\nEnvironment=A=2\n", etc + "a.service.d/10.conf": "[Service]\nEnvironment=A=1\n",
			etc + "a.service.d/30.txt": "[Service]\nEnvironment=A=3\n"},
			want: `env ["A=1" "A=2"]`},
		{says: "systemd.unit(5): a drop-in in /etc hides one of the same name in /usr/lib", unit: "ExecStart=/env", others: map[string]string{
			etc + "a.service.d/10.conf":                   "[Service]\nEnvironment=A=etc\n",
			"/usr/lib/systemd/system/a.service.d/10.conf": "[Service]\nEnvironment=A=lib\n",
			"/usr/lib/systemd/system/a.service.d/20.conf": "[Service]\nEnvironment=B=lib\n"}, want: `env ["A=etc" "B=lib"]`},
		{says: "systemd.service(5), ExecStart: an empty one in a drop-in takes the former away", unit: "ExecStart=/env old",
			others: map[string]string{
				etc + "a.service.d/x.conf": "[Service]\nExecStart=\nExecStart=/env new\n"}, want: `args ["new"]`},
		{says: "systemd.syntax(7): a setting counts in its own section only", unit: "ExecStart=/env\n[Unit]\nEnvironment=A=1", want: `env []`},
	} {
		t.Run(tc.says, func(t *testing.T) {
			b := newBox(t)
			b.write(etc+"a.service", "[Service]\n"+tc.unit+"\n")
			for p, c := range tc.others {
				b.write(p, c)
			}
			if got := b.run("root", "systemctl start a"); got.status != 0 {
				t.Fatalf("%+v", got)
			}
			if tc.cannotStart {
				b.until("failed", func() bool { return b.run("root", "systemctl is-failed a").status == 0 })
				return
			}
			log := func() string { return b.run("root", "journalctl -u a -o cat").out }
			b.until("the program has told", func() bool { return strings.Contains(log(), "args") })
			if !strings.Contains(log(), tc.want) {
				t.Errorf("got %s, want %s in it", log(), tc.want)
			}
		})
	}
}

// TestLoadPath holds systemd.unit(5), "UNIT FILE LOAD PATH": what lies in /etc hides what lies in /run, and that what packages bring.
func TestLoadPath(t *testing.T) {
	b := newBox(t)
	dirs := []string{"/usr/lib/systemd/system/", "/usr/local/lib/systemd/system/", "/run/systemd/system/", etc}
	for _, dir := range dirs {
		b.write(dir+"a.service", unit("/run"))
		if got := b.run("root", "systemctl show -p FragmentPath --value a"); got.out != dir+"a.service\n" {
			t.Errorf("with one in %s: %+v", dir, got)
		}
	}
	if got := b.run("root", "systemctl enable a"); got.status != 0 {
		t.Errorf("%+v", got)
	}
	if got := b.run("root", "readlink "+etc+"multi-user.target.wants/a.service"); got.out != etc+"a.service\n" {
		t.Errorf("%+v", got)
	}
}

// TestRestart holds systemd.service(5), table "Exit causes and the effect of the Restart= settings", as far as programs exit by themselves,
// and RestartSec= with systemd.time(7)'s spans.
func TestRestart(t *testing.T) {
	for _, tc := range []struct {
		restart, program string
		again            bool
	}{
		{"no", "/end", false}, {"no", "/fail", false},
		{"always", "/end", true}, {"always", "/fail", true},
		{"on-success", "/end", true}, {"on-success", "/fail", false},
		{"on-failure", "/end", false}, {"on-failure", "/fail", true},
		{"on-abnormal", "/end", false}, {"on-abnormal", "/fail", false},
		{"on-abort", "/end", false}, {"on-abort", "/fail", false},
	} {
		t.Run(tc.restart+" "+tc.program, func(t *testing.T) {
			b := newBox(t)
			b.write(etc+"a.service", unit(tc.program, "Restart="+tc.restart, "RestartSec=20ms"))
			b.run("root", "systemctl start a")
			show := func(p string) string {
				return strings.TrimSpace(b.run("root", "systemctl show --value -p "+p+" a").out)
			}
			if tc.again {
				b.until("it is started again", func() bool { n := show("NRestarts"); return n != "0" && n != "1" })
				b.until("it waits", func() bool { return show("SubState") == "auto-restart" && show("ActiveState") == "activating" })
				if got := b.run("root", "systemctl stop a; systemctl is-active a"); got.out != "inactive\n" && got.out != "failed\n" {
					t.Errorf("after stop: %+v", got)
				}
				return
			}
			want := map[string]string{"/end": "inactive", "/fail": "failed"}[tc.program]
			b.until("it is over", func() bool { return show("ActiveState") == want })
			if n := show("NRestarts"); n != "0" {
				t.Errorf("started again %s times", n)
			}
			if r, want := show("Result"), map[string]string{"/end": "success", "/fail": "exit-code"}[tc.program]; r != want {
				t.Errorf("Result=%s, not %s", r, want)
			}
		})
	}
	for text, again := range map[string]bool{"RestartSec=0.02": true, "RestartSec=20ms": true, "RestartSec=1h 20min": false,
		"RestartSec=5min20s": false, "RestartSec=120": false} {
		b := newBox(t)
		b.write(etc+"a.service", unit("/end", "Restart=always", text))
		b.run("root", "systemctl start a; sleep 0.3")
		if got := b.run("root", "systemctl show --value -p NRestarts a").out != "0\n"; got != again {
			t.Errorf("%s: started again within 0.3 s: %v", text, got)
		}
	}
}

// TestBoot holds systemctl(1), enable: enabled units start at boot, masked ones and those that are not enabled do not.
func TestBoot(t *testing.T) {
	b := newBox(t)
	for _, n := range []string{"a", "b", "c"} {
		b.write(etc+n+".service", unit("/run"))
	}
	b.run("root", "systemctl enable a c; rm "+etc+"c.service; systemctl mask c")
	b.units.Boot()
	if got := b.run("root", "systemctl is-active a b c"); got.out != "active\ninactive\ninactive\n" {
		t.Errorf("%+v", got)
	}
}
