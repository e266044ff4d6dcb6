package k0s

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestA6_DamagedStagedBinary: a staged binary is trusted by its content. One that is damaged is staged again by the same step, before the
// service stops; where that can't be, nothing is stopped.
func TestA6_DamagedStagedBinary(t *testing.T) {
	for name, damage := range map[string]func(m *fake){
		"cut short": func(m *fake) { m.write("bin/k0s.kiban-"+v136, "#!/bin/sh\n", 0o755) },
		"altered": func(m *fake) {
			m.write("bin/k0s.kiban-"+v136, strings.Replace(standIn(v136), "VERSION", "version", 1), 0o755)
		},
		"zeros": func(m *fake) { m.write("bin/k0s.kiban-"+v136, strings.Repeat("\x00", len(standIn(v136))), 0o755) },
	} {
		for _, host := range []string{"c1", "w1"} {
			t.Run(name+" on "+host, func(t *testing.T) {
				f, s := bootstrap(t, "c1", "w1")
				m := f.fakes[host]
				f.do(s, v136, host+"/stage")
				damage(m)
				s = f.open(v136) // another run, which has fetched nothing
				f.do(s, v136, host+"/upgrade")
				if h := f.state(s, host); h.Running != mustVersion(v136) || m.read("bin/k0s") != standIn(v136) {
					t.Errorf("it runs %s, with in place\n%s", h.Running, m.read("bin/k0s"))
				}

				f.do(s, v136, host+"/forget-former")
				other := "v1.34.10+k0s.0" // any that is not in place
				f.do(s, other, host+"/stage")
				m.write("bin/k0s.kiban-"+other, "half", 0o755)
				f.write("mirror/"+other+"/k0s-"+other+"-amd64", "also damaged")
				if err := os.RemoveAll(filepath.Join(f.dir, "cache")); err != nil {
					t.Fatal(err)
				}
				s = f.open(v136)
				if err := f.try(t.Context(), s, other, host+"/upgrade"); err == nil || !strings.Contains(err.Error(), "checksum") {
					t.Errorf("error is %v", err)
				}
				if h := f.state(s, host); h.Service != lifecycle.ServiceRunning || h.Running != mustVersion(v136) {
					t.Errorf("it was stopped for a damaged binary: %+v", h)
				}
			})
		}
	}
}

// TestA6_EmptyIsNotStaged: an empty file with the right name, as XFS leaves it behind a power cut, is told of as nothing.
func TestA6_EmptyIsNotStaged(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	f.fakes["w1"].write("bin/k0s.kiban-"+v136, "", 0o755)
	if h := f.state(s, "w1"); len(h.Staged) > 0 {
		t.Errorf("staged is %v", h.Staged)
	}
	f.do(s, v136, "w1/stage", "w1/upgrade")
	if h := f.state(s, "w1"); h.Running != mustVersion(v136) {
		t.Errorf("it runs %s", h.Running)
	}
}

// TestA6_StageComparesWhatIsThere: the step that stages looks into what has the name already.
func TestA6_StageComparesWhatIsThere(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	f.fakes["w1"].write("bin/k0s.kiban-"+v136, "half", 0o755)
	f.do(s, v136, "w1/stage")
	if got := f.fakes["w1"].read("bin/k0s.kiban-" + v136); got != standIn(v136) {
		t.Errorf("staged is %q", got)
	}
}

// TestA6_ContentIsOnTheDisk: the file is synced before it gets its name, the folder after that; and the service is stopped by the command
// that has compared the checksum.
func TestA6_ContentIsOnTheDisk(t *testing.T) {
	f, s := bootstrap(t, "c1")
	f.audit = nil
	f.do(s, v136, "c1/stage", "c1/upgrade")
	var named, stops []string
	for _, c := range f.audit {
		if strings.Contains(c.Command, ".upload") && strings.Contains(c.Command, "mv -f") {
			named = append(named, c.Command)
		}
		if strings.Contains(c.Command, "systemctl stop") {
			stops = append(stops, c.Command)
		}
	}
	if len(named) != 1 || len(stops) != 1 {
		t.Fatalf("named by %q, stopped by %q", named, stops)
	}
	words := strings.Split(named[0], " && ")
	file := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "sync ") && strings.HasSuffix(w, ".upload") })
	move := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "mv ") })
	folder := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "sync ") && strings.HasSuffix(w, "/bin") })
	if file < 0 || file > move || move > folder {
		t.Errorf("it is named by %q", named[0])
	}
	if !strings.HasPrefix(stops[0], "sum=$(sha256sum ") {
		t.Errorf("it is stopped by %q", stops[0])
	}
}

// TestA6_WhatIsWrittenIsOnTheDisk: a run that says that it is done has left nothing that a power cut a moment later would empty: neither a
// file of its own, nor the service's that k0s writes, nor what is kept for the way back.
func TestA6_WhatIsWrittenIsOnTheDisk(t *testing.T) {
	f, s := bootstrap(t, "c1")
	f.do(s, v136, "c1/stage", "c1/upgrade")
	written, installed, kept := 0, 0, 0
	for _, c := range f.audit {
		parts := strings.Split(c.Command, " && ")
		at := func(prefix string) int {
			return slices.IndexFunc(parts, func(p string) bool { return strings.HasPrefix(p, prefix) })
		}
		switch {
		case strings.Contains(c.Command, "install -m ") && strings.Contains(c.Command, ".kiban-new"):
			written++
			if sync, move := at("sync "), at("mv -f "); sync < 0 || move < sync || !strings.HasPrefix(parts[len(parts)-1], "sync ") {
				t.Errorf("it is written by %q", c.Command)
			}
		case strings.Contains(c.Command, "k0s install controller"):
			installed++
			if !strings.Contains(c.Command, " && { sync /etc/systemd/system/k0scontroller.service /etc/systemd/system ") {
				t.Errorf("it is installed by %q", c.Command)
			}
		case strings.Contains(c.Command, "kiban-former") && strings.Contains(c.Command, "cp -p "):
			kept++
			if i := at("sync "); i < 0 || i > at("mv -f ") || !strings.Contains(parts[i], ".service") {
				t.Errorf("it is kept by %q", c.Command)
			}
		}
	}
	if written == 0 || installed != 2 || kept != 1 {
		t.Errorf("%d files written, %d services installed, %d binaries kept, in %d commands", written, installed, kept, len(f.audit))
	}
}

// TestA6_ControllerStartsAsItWas: a new binary that is whole and does not run is never started. The controller runs as before, and the same
// command goes on when there is a better one.
func TestA6_ControllerStartsAsItWas(t *testing.T) {
	f, _ := bootstrap(t, "c1")
	m := f.fakes["c1"]
	before := m.read("unit/k0scontroller.service")
	f.release(v136, "#!/bin/sh\necho cannot execute >&2; exit 126\n")
	s := f.open(v136)
	f.do(s, v136, "c1/stage")
	err := f.try(t.Context(), s, v136, "c1/upgrade")
	d, ok := errors.AsType[lifecycle.Diagnostic](err)
	if !ok || !errors.Is(err, lifecycle.ErrStartedAsItWas) || !strings.Contains(d.Detail, "was never started") || d.Hint == "" {
		t.Fatalf("error is %v", err)
	}
	h := f.state(s, "c1")
	if h.Running != mustVersion(v135) || h.Binary != mustVersion(v135) || m.read("unit/k0scontroller.service") != before || len(m.kept()) > 0 {
		t.Errorf("it runs %s with %s in place and keeps %q", h.Running, h.Binary, m.kept())
	}
	f.release(v136, standIn(v136))
	s = f.open(v136)
	f.do(s, v136, "c1/stage", "c1/upgrade")
	if h := f.state(s, "c1"); h.Running != mustVersion(v136) {
		t.Errorf("it runs %s", h.Running)
	}
}

// TestA6_BrokenBinaryIsReplaced: a controller whose binary does not run, and whose service is down, is mended by an upgrade.
func TestA6_BrokenBinaryIsReplaced(t *testing.T) {
	f, s := bootstrap(t, "c1")
	m := f.fakes["c1"]
	f.do(s, v136, "c1/stage")
	if err := os.Remove(filepath.Join(m.root, "running/k0scontroller")); err != nil {
		t.Fatal(err)
	}
	m.write("bin/k0s", "\x00\x00", 0o755)
	f.do(s, v136, "c1/upgrade")
	if h := f.state(s, "c1"); h.Running != mustVersion(v136) || !h.Former.IsZero() {
		t.Errorf("it runs %s and keeps %s", h.Running, h.Former)
	}
}
