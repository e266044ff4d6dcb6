package machine

import (
	"strings"
	"testing"
	"time"
)

// TestHolds: the second command that matches stands still before it is run, and is never run once its client is gone; another when it has
// run, and its client is not told.
func TestHolds(t *testing.T) {
	l := lab(t, 0, 1)
	m := l.Machines()[0]
	root, err := m.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		kind string
		ran  bool
	}{{"hold-before", false}, {"hold-after", true}} {
		if err := m.Fault(tt.kind, `^touch /tmp/`+tt.kind, "2"); err != nil {
			t.Fatal(err)
		}
		c, err := dial(l, m, "root")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := over(t, c, "touch /tmp/"+tt.kind, ""); err != nil {
			t.Fatalf("%s: the first command is let through: %v", tt.kind, err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := over(t, c, "touch /tmp/"+tt.kind+".second", "")
			done <- err
		}()
		waitFor(t, func() bool { return told(t, l, "held: touch /tmp/"+tt.kind+".second") })
		select {
		case err := <-done:
			t.Errorf("%s: it was answered: %v", tt.kind, err)
		default:
		}
		if _, err := root.Stat("/tmp/" + tt.kind + ".second"); (err == nil) != tt.ran {
			t.Errorf("%s: the command ran: %t", tt.kind, err == nil)
		}
		c.Close()
		<-done
		time.Sleep(50 * time.Millisecond)
		if _, err := root.Stat("/tmp/" + tt.kind + ".second"); (err == nil) != tt.ran {
			t.Errorf("%s: the command ran after its client was gone: %t", tt.kind, err == nil)
		}
	}
	if err := m.Fault("hold-before", "x", "0"); err == nil {
		t.Error("the 0th command can be held")
	}
}

// TestPowerCutTakesWhatWasNotSynced: a file that a command wrote and did not sync is empty when the machine is on again.
func TestPowerCutTakesWhatWasNotSynced(t *testing.T) {
	m := lab(t, 0, 1).Machines()[0]
	if s := run(m, "root", "echo k0s > /tmp/lost; echo k0s > /tmp/kept; sync /tmp/kept; echo k0s | dd of=/tmp/dd conv=fsync status=none",
		""); s.status != 0 {
		t.Fatal(s)
	}
	for _, kind := range []string{"power-cut", "on"} {
		if err := m.Fault(kind); err != nil {
			t.Fatal(err)
		}
	}
	if s := run(m, "root", "wc -c < /tmp/lost; cat /tmp/kept /tmp/dd", ""); s.out != "0\nk0s\nk0s\n" {
		t.Error(s)
	}
}

func waitFor(t *testing.T, yes func() bool) {
	t.Helper()
	for range 500 {
		if yes() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it does not come about")
}

// told reports whether an event of the lab says so.
func told(t *testing.T, l *Lab, what string) (yes bool) {
	t.Helper()
	err := ReadRecords(l.RecordFile(), 0, func(r Record) error {
		yes = yes || r.Kind == KindEvent && strings.HasPrefix(r.What, what)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return yes
}
