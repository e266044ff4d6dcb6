package lock

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A process is known to have ended only where it would be seen if it had not.
func TestA5_AProcessIsDeadOnlyWhenThatIsCertain(t *testing.T) {
	visible := map[int]string{7: "100", 9: buried}
	living := map[int]bool{7: true, 9: true, 10: true} // 10 is another user's, and /proc hides it
	machine := func(place string) here {
		return here{place: place, began: func(pid int) string { return visible[pid] }, absent: func(pid int) bool { return !living[pid] },
			signed: func(token string) bool { return token == "SIGN" }}
	}
	for _, tt := range []struct {
		name, process, place string
		want                 bool
	}{
		{"lives", "boot ns 7 100 SIGN", "boot ns", false},
		{"ended", "boot ns 8 100 SIGN", "boot ns", true},
		{"ended, and not buried", "boot ns 9 100 SIGN", "boot ns", true},
		{"its id is used again", "boot ns 7 99 SIGN", "boot ns", true},
		{"lives, hidden by hidepid", "boot ns 10 100 SIGN", "boot ns", false},
		{"its id may be used again, hidden by hidepid", "boot ns 10 99 SIGN", "boot ns", false},
		{"another machine, or before a reboot", "other ns 8 100 SIGN", "boot ns", false},
		{"another container", "boot ns2 8 100 SIGN", "boot ns", false},
		{"a machine of the same snapshot", "boot ns 8 100 ELSEWHERE", "boot ns", false},
		{"an older kiban, which left no sign", "boot ns 8 100", "boot ns", false},
		{"a sign that is a path", "boot ns 8 100 ../SIGN", "boot ns", false},
		{"not said", "", "boot ns", false},
		{"nonsense", "boot ns x y z", "boot ns", false},
		{"every process", "boot ns -1 100 SIGN", "boot ns", false},
		{"a system that does not tell", " 8 100 SIGN", "", false},
	} {
		if got := ended(tt.process, machine(tt.place)); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestThisProcess(t *testing.T) {
	dir := t.TempDir()
	me, remove := ThisProcess(dir)
	if me == "" {
		t.Skip("this system does not tell")
	}
	if ProcessGone(dir, me) {
		t.Error("this process is said to have ended")
	}
	if processAbsent(1) || processAbsent(os.Getpid()) {
		t.Error("the first process, or this one, is said to be absent")
	}
	child := exec.Command("true")
	if err := child.Run(); err != nil {
		t.Skip(err)
	}
	if !processAbsent(child.Process.Pid) {
		t.Error("a process that has ended and is buried is said to live")
	}
	remove()
	if left, _ := filepath.Glob(dir + "/*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, remove := ThisProcess(filepath.Join(dir, "missing")); remove == nil {
		t.Error("nothing to call where no sign can be left")
	}
}
