package k0s

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestStartsAreToldApartWithoutAClock: by the clock of this machine k0s never starts behind what is kept, for the clock was set back. Which
// start that was says so nevertheless; what an older kiban has kept has only the time.
func TestStartsAreToldApartWithoutAClock(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	m := f.fakes["w1"]
	m.write("unit/k0sworker.service", strings.Replace(m.read("unit/k0sworker.service"), " worker", " worker --debug=true", 1), 0o644)
	if err := s.Do(t.Context(), setting("w1", lifecycle.ActionReinstall), nil); err != nil {
		t.Fatal(err)
	}
	h := f.state(s, "w1")
	if h.Run == "" || h.Kept.IsZero() || !h.ServiceSince.Before(h.Kept) || !h.KeptBefore {
		t.Errorf("run %q, started at %s, kept at %s; it runs with the change: %t", h.Run, h.ServiceSince, h.Kept, h.KeptBefore)
	}
	kept := m.read("bin/k0s.kiban-kept")
	m.write("bin/k0s.kiban-kept", strings.Split(kept, "\n")[0]+"\nInvocationID="+h.Run+"\n", 0o600)
	if h := f.state(s, "w1"); h.KeptBefore {
		t.Error("it still runs as it was, and is said to run with a change")
	}
	for at, want := range map[string]bool{"1764480000": true, strings.Split(kept, "\n")[0]: false} {
		m.write("bin/k0s.kiban-kept", at+"\n", 0o600)
		if h := f.state(s, "w1"); h.Kept.IsZero() || h.KeptBefore != want {
			t.Errorf("kept at %s by an older kiban: started since %t, want %t", at, h.KeptBefore, want)
		}
	}
}

// TestPinIsHeldByTheFile: whether k0s.yaml was written behind the former k0s is told by the file, for the clock may have been set back.
func TestPinIsHeldByTheFile(t *testing.T) {
	f, s := bootstrap(t, "c1")
	m := f.fakes["c1"]
	const acts = "{extraArgs: {emulated-version: \"1.35\"}}"
	const held = "spec: {api: " + acts + ", controllerManager: " + acts + ", scheduler: " + acts + "}\n"
	m.write("etc/k0s.yaml", held, 0o600)
	m.write("bin/k0s.kiban-former-v1.34.9+k0s.0", "#!/bin/sh\n", 0o755)
	m.write("bin/journalctl", fakeJournal, 0o755)
	m.write("journal", "one\ntwo\n", 0o644)
	p := paths{binary: filepath.Join(m.root, "bin/k0s"), config: filepath.Join(m.root, "etc/k0s.yaml")}
	mark := func() string {
		t.Helper()
		cmd := exec.Command("sh", "-c", p.markSince(mustVersion("v1.34.9+k0s.0")))
		cmd.Env = append(os.Environ(), "ROOT="+m.root, "PATH="+m.root+"/bin:"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return m.read("bin/k0s.kiban-former-v1.34.9+k0s.0.since")
	}
	marked := mark()
	if lines := strings.Split(marked, "\n"); len(lines) != 4 || !strings.HasPrefix(lines[1], "config ") || lines[2] != "cursor i=2" {
		t.Fatalf("what is kept of the moment: %q", marked)
	}
	// one beside it takes its place, as k0s.yaml is written; by the clock that was before
	written := func() {
		t.Helper()
		m.write("etc/new", held, 0o600)
		if err := os.Rename(filepath.Join(m.root, "etc/new"), p.config); err != nil {
			t.Fatal(err)
		}
	}
	clock := func(ahead time.Duration) string { return strconv.FormatInt(time.Now().Add(ahead).Unix(), 10) + ".5" }
	_, file, _ := strings.Cut(marked, "\n")
	for _, tt := range []struct {
		name, since string
		written     bool
		held        bool
	}{
		{"as it was", marked, false, true},
		{"as it was, and the clock was set back before", clock(-time.Hour) + "\n" + file, false, true},
		{"by an older kiban", clock(time.Hour) + "\n", false, true},
		{"by an older kiban, before it was written", clock(-time.Hour) + "\n", false, false},
		{"written", marked, true, false},
		{"written, by a clock that was set back", clock(time.Hour) + "\n" + file, false, false},
	} {
		if tt.written {
			written()
		}
		m.write("bin/k0s.kiban-former-v1.34.9+k0s.0.since", tt.since, 0o600)
		if h := f.state(s, "c1"); h.PinHeld != tt.held {
			t.Errorf("%s: held %t, want %t", tt.name, h.PinHeld, tt.held)
		}
	}
	if strings.Contains(mark(), file) {
		t.Error("a file that was written is the same one")
	}
}

// fakeJournal is a journalctl whose entries are the lines of a file; a cursor is a line's number. By their time all are from long ago: the
// machine's clock was set back.
const fakeJournal = `#!/bin/sh
cursor= from=1 lines=
while [ $# -gt 0 ]; do
	case $1 in
	--cursor=*) from=${1#*i=} ;;
	--after-cursor) from=$((${2#i=} + 1)); shift ;;
	--since) from=999; shift ;;
	--show-cursor) cursor=1 ;;
	-n) lines=$2; shift ;;
	-u | -o | --until) shift ;;
	esac
	shift
done
[ -f "$ROOT/vacuumed" ] && [ "$from" -lt 3 ] && from=3
all=$(wc -l <"$ROOT/journal")
[ -n "$lines" ] && [ "$from" = 1 ] && from=$all
last=$all
[ -n "$lines" ] && last=$from
sed -n "${from},${last}p" "$ROOT/journal"
[ -z "$cursor" ] || echo "-- cursor: i=$last"
`

// TestWhatRanIsToldByTheLogsOrder: what the new k0s has logged is behind the former one's last entry, whatever time it bears. An entry that
// is no longer there says nothing; what an older kiban has kept goes by the time.
func TestWhatRanIsToldByTheLogsOrder(t *testing.T) {
	f, s := bootstrap(t, "c1")
	m := f.fakes["c1"]
	m.write("bin/k0s.kiban-former-v1.34.9+k0s.0", "#!/bin/sh\n", 0o755)
	m.write("bin/journalctl", fakeJournal, 0o755)
	m.write("journal", "component=kine\ntwo\n3 component=etcd\n4 component=kube-apiserver\n", 0o644)
	since := func(text string) { m.write("bin/k0s.kiban-former-v1.34.9+k0s.0.since", text, 0o600) }
	since("1764480000.5\nconfig 1 x\ncursor i=2\n")
	if h := f.state(s, "c1"); !h.RanKnown || strings.Join(h.Ran, " ") != lifecycle.PartEtcd+" "+lifecycle.PartAPIServer {
		t.Errorf("%v, known: %t", h.Ran, h.RanKnown)
	}
	since("1764480000.5\n")
	if h := f.state(s, "c1"); len(h.Ran) > 0 {
		t.Errorf("by the time alone: %v", h.Ran)
	}
	since("1764480000.5\nconfig 1 x\ncursor i=2\n")
	m.write("vacuumed", "", 0o644)
	if h := f.state(s, "c1"); h.RanKnown {
		t.Error("a log that does not reach back is told as whole")
	}
}

// TestStartByTheClockThatNobodySets: the start of a service is told by the clock as it is now.
func TestStartByTheClockThatNobodySets(t *testing.T) {
	noted := time.Date(2026, 11, 21, 21, 11, 37, 0, time.UTC)
	for name, tt := range map[string]struct {
		uptime, entered string
		now, want       time.Time
	}{
		"as noted":                     {"1000.50", "940000000", noted.Add(time.Minute), noted},
		"set back by an hour":          {"1000.50", "940500000", noted.Add(time.Minute - time.Hour), noted.Add(-time.Hour)},
		"set ahead by an hour":         {"1000.50", "940500000", noted.Add(time.Minute + time.Hour), noted.Add(time.Hour)},
		"no uptime":                    {"", "940000000", noted.Add(-time.Hour), noted},
		"less uptime than systemd has": {"10.00", "940000000", noted.Add(-time.Hour), noted},
		"systemd tells only the time":  {"1000.50", "", noted.Add(-time.Hour), noted},
		"nonsense":                     {"NaN", "940000000", noted.Add(-time.Hour), noted},
	} {
		p := map[string]string{"ActiveEnterTimestamp": noted.Format("Mon 2006-01-02 15:04:05 MST"), "ActiveEnterTimestampMonotonic": tt.entered}
		if got := startedAt(p, tt.uptime, tt.now); !got.Equal(tt.want) {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
