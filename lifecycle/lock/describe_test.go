package lock

import (
	"errors"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestTold: a lock that nobody renews any more is told as what it is, and sends nobody to unlock.
func TestTold(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	held := lifecycle.Lock{Holder: "20261129-115900-abcdef", Who: "ann", Doing: "apply", Since: now.Add(-time.Minute),
		Renewed: now.Add(-time.Second), Where: "lease kube-system/kiban"}
	old := held
	old.Holder, old.Doing, old.Renewed = "20261123-170000-fedcba", "backup", now.Add(-139*time.Hour)
	onHost := old
	onHost.Where = "/run/kiban on controller-1"
	restore := lifecycle.RunRecord{ID: "20261129-100000-111111", Doing: "restore from lab-v1.36.3.tar.gz", Ended: now.Add(-2 * time.Hour)}
	earlier := restore
	earlier.Ended = old.Renewed.Add(-time.Hour)
	silent := held
	silent.Renewed = time.Time{}
	for _, tt := range []struct {
		name  string
		locks []lifecycle.Lock
		past  []lifecycle.RunRecord
		says  []string
	}{
		{"one that does not say when it was renewed", []lifecycle.Lock{silent}, nil, []string{"Locked: ann has it"}},
		{"one at work, and one that is left", []lifecycle.Lock{held, onHost}, nil, []string{"Locked: ann has it", "\n\nA lock that has lapsed"}},
		{"nobody", nil, nil, nil},
		{"a run at work", []lifecycle.Lock{held}, nil, []string{"Locked: ann has it since 2026-11-29 11:59:00 UTC: apply", "renewed 1s ago"}},
		{"it came with the backup", []lifecycle.Lock{old}, []lifecycle.RunRecord{restore}, []string{
			"Not locked. A lock that has lapsed is left of run 20261123-170000-fedcba, backup, which was last heard of 5 days 19 h ago",
			"It came with the backup that was restored since", "Nothing is to be done about it"}},
		{"restored before", []lifecycle.Lock{old}, []lifecycle.RunRecord{earlier}, []string{"or the lock came with a backup that was restored"}},
		{"nobody knows of a restore", []lifecycle.Lock{old}, nil, []string{"That run was killed, stopped or cut off, or the lock came with"}},
		{"a machine has it, which no backup does", []lifecycle.Lock{onHost}, []lifecycle.RunRecord{restore},
			[]string{"That run was killed, stopped or cut off."}},
	} {
		said, unknown := Told(tt.locks, tt.past, nil, now)
		for _, want := range tt.says {
			if !strings.Contains(said, want) {
				t.Errorf("%s: nothing says %q:\n%s", tt.name, want, said)
			}
		}
		if strings.Contains(said, "Not locked") && strings.Contains(said, "Locked: ") {
			t.Errorf("%s: it is locked, and it is not:\n%s", tt.name, said)
		}
		if (said == "") != (tt.says == nil) || unknown != "" || strings.Contains(said, "unlock") {
			t.Errorf("%s: %q, %q", tt.name, said, unknown)
		}
	}
	if said, _ := Told([]lifecycle.Lock{old}, nil, errors.New("no answer"), now); strings.Contains(said, "Not locked") {
		t.Errorf("who could not be asked may have it: %s", said)
	}
	if _, unknown := Told(nil, nil, errors.New("no answer"), now); unknown != "\nLocked: not known: no answer\n" {
		t.Errorf("unread: %q", unknown)
	}
}
