package kube

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func recordOf(n int) lifecycle.RunRecord {
	began := time.Date(2026, 11, 21, 22, 0, n, 0, time.UTC)
	return lifecycle.RunRecord{Format: lifecycle.RunFormat, ID: began.Format("20060102-150405-") + "abcdef", Site: "lab", Who: "ann",
		Began: began, Ended: began.Add(time.Minute), Result: lifecycle.RunDone}
}

func TestTheClusterKeepsItsLastRuns(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	if runs, err := c.Runs(t.Context()); err != nil || runs != nil {
		t.Fatalf("before the first run: %v, %v", runs, err)
	}
	for n := range runsKept + 3 {
		if err := c.RecordRun(t.Context(), recordOf(n)); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := c.Runs(t.Context())
	if err != nil || len(runs) != runsKept {
		t.Fatalf("%d runs, %v; want %d", len(runs), err, runsKept)
	}
	if runs[0].ID != recordOf(runsKept+2).ID || runs[len(runs)-1].ID != recordOf(3).ID {
		t.Errorf("kept %s to %s; want the newest, newest first", runs[0].ID, runs[len(runs)-1].ID)
	}
	if got, want := runs[0], recordOf(runsKept+2); got.Who != want.Who || !got.Ended.Equal(want.Ended) || got.Result != want.Result {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestA13_ARunFromASlowClockIsKept: what the cluster keeps are the last runs that it heard of, whatever the clocks of the machines say that
// ran them. Such a record is there when it has ended, too, and is the first to be told.
func TestA13_ARunFromASlowClockIsKept(t *testing.T) {
	c := connect(t, newFakeAPI())
	record := func(r lifecycle.RunRecord) {
		t.Helper()
		if err := c.RecordRun(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for n := range runsKept {
		record(recordOf(100 + n))
	}
	slow := recordOf(0)
	slow.Result = lifecycle.RunUnended
	record(slow)
	slow.Result = lifecycle.RunDone
	record(slow) // it has ended
	record(recordOf(200))
	runs, err := c.Runs(t.Context())
	if err != nil || len(runs) != runsKept {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	if runs[0].ID != recordOf(200).ID || runs[1].ID != slow.ID || runs[1].Result != lifecycle.RunDone ||
		runs[runsKept-1].ID != recordOf(102).ID {
		t.Errorf("kept %s, %s (%s), ..., %s", runs[0].ID, runs[1].ID, runs[1].Result, runs[runsKept-1].ID)
	}
}

// Two that write at once: the API refuses one of them, and it writes again on top of the other's.
func TestNoRecordIsLostToAnotherWriter(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	c.pause = time.Millisecond
	if err := c.RecordRun(t.Context(), recordOf(0)); err != nil {
		t.Fatal(err)
	}
	var conflicts atomic.Int32
	first := make(chan struct{})
	var once sync.Once
	f.refuse = func(r *http.Request) (int, bool) {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, runsName) {
			interrupt := false
			once.Do(func() { interrupt = true })
			if interrupt { // between its read and its write, another's arrives
				f.mu.Lock()
				o := f.objects["configmaps"]["kube-system/"+runsName]
				o["data"].(map[string]any)[recordOf(1).ID] = fmt.Sprintf(`{"format":"1.0","id":%q}`, recordOf(1).ID)
				f.put("configmaps", o)
				f.mu.Unlock()
				conflicts.Add(1)
				close(first)
			}
		}
		return 0, false
	}
	if err := c.RecordRun(t.Context(), recordOf(2)); err != nil {
		t.Fatal(err)
	}
	<-first
	runs, err := c.Runs(t.Context())
	if err != nil || len(runs) != 3 {
		t.Errorf("%d runs, %v; want all 3 (%d conflicts)", len(runs), err, conflicts.Load())
	}
}

func TestARefusedRecordIsAnError(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	c.pause = time.Millisecond
	f.refuse = func(r *http.Request) (int, bool) { return http.StatusForbidden, r.Method != http.MethodGet }
	if err := c.RecordRun(t.Context(), recordOf(0)); err == nil {
		t.Error("a refused write was no error")
	}
}

func TestForeignRecordsArePassedOver(t *testing.T) {
	got := readRuns(map[string]string{
		"20261121-220000-aaaaaa": `{"format":"1.3","id":"20261121-220000-aaaaaa","tomorrow":true}`,
		"20261121-220001-aaaaaa": `{"format":"2.0","id":"20261121-220001-aaaaaa"}`,
		"20261121-220002-aaaaaa": `{"format":"1.0","id":"another"}`,
		"notes":                  "by hand",
	})
	if len(got) != 1 || got[0].ID != "20261121-220000-aaaaaa" {
		t.Errorf("got %+v, want the first alone", got)
	}
}
