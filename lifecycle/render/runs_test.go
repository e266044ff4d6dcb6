package render

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

func TestRunList(t *testing.T) {
	v135, v136 := rendertest.Version(t, "v1.35.7+k0s.0"), rendertest.Version(t, "v1.36.3+k0s.2")
	record := func(id string, second int, took time.Duration, result lifecycle.RunResult) lifecycle.RunRecord {
		return lifecycle.RunRecord{ID: id, Site: "tokyo-prod", Who: "ann", Where: "laptop", Revision: "3f2a1c9d5e6f708192a3b4c5d6e7f8091a2b3c4d",
			Began: rendertest.At(second), Ended: rendertest.At(second).Add(took), Result: result, Steps: 24, Begun: 24, Done: 24}
	}
	upgrade, failed, killed, first, gone := record("20261121-220400-dddddd", 240, 62*time.Second, lifecycle.RunDone),
		record("20261121-220300-cccccc", 180, 3*time.Second, lifecycle.RunFailed),
		record("20261121-220200-bbbbbb", 120, 2*time.Hour, lifecycle.RunUnended),
		record("20261121-220000-aaaaaa", 0, 27*time.Second, lifecycle.RunDone),
		record("20261120-220000-000000", -86400, 9*time.Second, lifecycle.RunDone)
	upgrade.Before, upgrade.After = []lifecycle.Version{v135}, []lifecycle.Version{v136}
	upgrade.Who, upgrade.Where = "renovate", "https://gitlab.example.org/infra/fleet/-/jobs/4711"
	failed.Before, failed.After, failed.Done, failed.Revision = []lifecycle.Version{v135}, []lifecycle.Version{v135, v136}, 3,
		failed.Revision+"-dirty"
	killed.Who, killed.Where, killed.Revision = "", "", "" // its journal lost the header
	upgrade.Review = &lifecycle.Review{Plan: "sha256:aa", Where: "https://gitlab.example.org/infra/fleet/-/merge_requests/42"}
	failed.Review = &lifecycle.Review{Plan: "sha256:aa", Where: upgrade.Review.Where,
		Accepted: []string{"- worker-1/drain: because", "+ worker-1/reset: because"}, AcceptedID: "0123456789ab"}
	killed.Review = &lifecycle.Review{Accepted: []string{"+ worker-1/reset: because"}, AcceptedID: "0123456789ab"}
	upgrade.Doing, failed.Doing, first.Doing = "apply of revision 3f2a1c9d5e", "apply", "node cordon worker-1"
	killed.Before, killed.After, killed.Aim = []lifecycle.Version{v135}, []lifecycle.Version{v135}, v136
	first.After = []lifecycle.Version{v135}
	gone.Before = []lifecycle.Version{v135}
	listed := func(r lifecycle.RunRecord, here, cluster bool) lifecycle.ListedRun {
		return lifecycle.ListedRun{RunRecord: r, Here: here, Cluster: cluster}
	}
	runs := []lifecycle.ListedRun{listed(upgrade, true, true), listed(failed, false, true), listed(killed, true, false),
		listed(first, true, true), listed(gone, true, false)}
	var plain, painted bytes.Buffer
	if err := RunList(&plain, runs, false, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "runs.txt", plain.String())
	if !strings.Contains(plain.String(), "  node cordon worker-1  done") {
		t.Errorf("nothing says what was done:\n%s", plain.String())
	}
	if err := onTerminal(&painted, func(w *Writer, s Style) error { return RunList(w, runs, false, s) }); err != nil {
		t.Fatal(err)
	}
	if got := stripANSI(painted.String()); got != plain.String() || !strings.Contains(painted.String(), "\x1b[31mfailed\x1b[0m") {
		t.Errorf("colours change more than colours:\n%s", painted.String())
	}
}

func TestRunText(t *testing.T) {
	begun := rendertest.On(0, lifecycle.EventBegun, "", "", "", "run r by ann on laptop")
	var b bytes.Buffer
	if err := RunText(&b, append([]lifecycle.Event{begun}, rendertest.Story()...), Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "run.txt", b.String())
	b.Reset()
	if err := RunText(&b, rendertest.Story()[:9], Style{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(b.String(), "[00:31] tokyo-prod: "+NoEnd+"\n") {
		t.Errorf("a journal without an end:\n%s", b.String())
	}
}
