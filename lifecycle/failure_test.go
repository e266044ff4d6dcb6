package lifecycle

import "testing"

// Failures are alike when the same was found on the same kind of machine with the same version, wherever it was.
func TestFingerprint(t *testing.T) {
	v := Version{1, 36, 3, "", 2}
	base := Failure{Action: ActionUpgrade, Role: RoleWorker, Machine: "Debian 12, 6.1.0-18, amd64", Version: v, Where: "shop-7-w1",
		Why: `node shop-7-w1 was not Ready within 10m0s: "kubelet" exited at 2026-11-30T05:12:01Z on 10.4.1.2`}
	for _, tt := range []struct {
		name string
		edit func(*Failure)
		same bool
	}{
		{"another machine, time and address", func(f *Failure) {
			f.Where = "osaka-worker"
			f.Why = `node osaka-worker was not Ready within 12m0s: "containerd" exited at 2026-12-01T00:00:00Z on 10.9.0.7`
		}, true},
		{"something else was found", func(f *Failure) { f.Why = "the filesystem of shop-7-w1 is full" }, false},
		{"another version", func(f *Failure) { f.Version.Patch++ }, false},
		{"another kernel", func(f *Failure) { f.Machine = "Debian 12, 6.1.0-25, amd64" }, false},
		{"another role", func(f *Failure) { f.Role = RoleController }, false},
		{"something else was done", func(f *Failure) { f.Action = ActionReinstall }, false},
		{"an addon", func(f *Failure) { f.Unit = "addon/metallb" }, false},
	} {
		other := base
		tt.edit(&other)
		if same := other.Fingerprint() == base.Fingerprint(); same != tt.same {
			t.Errorf("%s: alike: %v", tt.name, same)
		}
	}
	if f := base.Fingerprint(); len(f) != 10 {
		t.Errorf("fingerprint %q", f)
	}
}

func TestMachineKind(t *testing.T) {
	if kind := (HostState{OS: "Debian 12", Kernel: "6.1.0-18", Arch: "amd64"}).Kind(); kind != "Debian 12, 6.1.0-18, amd64" {
		t.Errorf("kind %q", kind)
	}
	if kind := (HostState{Arch: "amd64"}).Kind(); kind != "" {
		t.Errorf("a machine that says nothing is of kind %q", kind)
	}
}

// A failure is told as people speak.
func TestFailureInALine(t *testing.T) {
	v := Version{1, 36, 3, "", 2}
	for _, tt := range []struct {
		f    Failure
		want string
	}{
		{Failure{Action: ActionUpgrade, Role: RoleWorker, Version: v, Machine: "debian 12, 6.1.0, arm64", Why: "not Ready"},
			"upgrade of a worker to v1.36.3+k0s.2 (debian 12, 6.1.0, arm64): not Ready"},
		{Failure{Action: ActionUpgrade, Role: RoleSingle, Version: v, Why: "not Ready"},
			"upgrade of a single node to v1.36.3+k0s.2: not Ready"},
		{Failure{Action: ActionReboot, Role: RoleSingle, Why: "gone"}, "reboot of a single node: gone"},
	} {
		if got := tt.f.String(); got != tt.want {
			t.Errorf("%q, not %q", got, tt.want)
		}
	}
}
