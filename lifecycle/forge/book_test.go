package forge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// clock is a process that tells, at a minute.
func clock(claim string, minute int) lifecycle.Told {
	return lifecycle.Told{Claim: claim, By: "job " + claim, At: time.Date(2026, 11, 22, 5, minute, 0, 0, time.UTC)}
}

// tell claims and confirms, as one whose sending succeeds.
func (b Book) tell(t *testing.T, m Message, to string, mine lifecycle.Told) Claimed {
	t.Helper()
	c, why := b.Claim(m, to, mine)
	if why != "" {
		t.Fatalf("%s is not told: %s", m.Kind, why)
	}
	b.Confirm(c, mine)
	return c
}

func failedAt(step string) Message {
	return EndMessage(lifecycle.Outcome{Site: "lab", Kind: lifecycle.OutcomeFailed,
		Diagnostics: lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Summary: step}}})
}

func drifted(step string) Message {
	return LookMessage(lifecycle.Plan{Site: "lab", Steps: []lifecycle.Step{{ID: step}}})
}

func well() Message { return LookMessage(lifecycle.Plan{Site: "lab"}) }

func TestToldOnce(t *testing.T) {
	b := Book{}
	b.tell(t, failedAt("worker-1/drain"), "webhook", clock("1", 0))
	if _, why := b.Claim(failedAt("worker-1/drain"), "webhook", clock("2", 30)); why != "told already by job 1 at 2026-11-22T05:00:00Z" {
		t.Errorf("got %q", why)
	}
	b.tell(t, failedAt("worker-2/drain"), "webhook", clock("2", 30)) // another failure
	b.tell(t, failedAt("worker-1/drain"), "issue", clock("2", 30))   // another receiver
}

func TestClaims(t *testing.T) {
	b := Book{}
	m := failedAt("worker-1/drain")
	mine, other := clock("1", 0), clock("2", 1)
	first, why := b.Claim(m, "webhook", mine)
	if why != "" {
		t.Fatal(why)
	}
	if _, why := b.Claim(m, "webhook", other); why != "being told by job 1 since 2026-11-22T05:00:00Z" {
		t.Errorf("another takes it meanwhile: %q", why)
	}
	if _, why := b.Claim(m, "webhook", mine); why != "" {
		t.Errorf("a claim that was written without an answer is lost to its own process: %q", why)
	}
	b.Release(first, other)
	if len(b) != 1 {
		t.Error("another's claim was given back")
	}
	b.Release(first, mine)
	if len(b) != 0 {
		t.Errorf("what could not be sent is remembered: %v", b)
	}
	killed, why := b.Claim(m, "webhook", mine)
	if why != "" {
		t.Fatal(why)
	}
	if _, why := b.Claim(m, "webhook", clock("2", 9)); why == "" {
		t.Error("a claim was retaken after nine minutes")
	}
	if _, why := b.Claim(m, "webhook", clock("2", 10)); why != "" {
		t.Errorf("a claim that nobody confirmed is not retaken: %s", why)
	}
	b.Release(killed, mine) // the first wakes up
	if b[killed.Key()].Claim != "2" {
		t.Error("it took the claim of the one that came after it")
	}
	ahead := clock("3", 0)
	ahead.At = ahead.At.AddDate(1, 0, 0)
	b[killed.Key()] = ahead // by a clock that is wrong
	if _, why := b.Claim(m, "webhook", clock("4", 20)); why != "" {
		t.Errorf("a claim of next year is waited for: %s", why)
	}
}

func TestDriftComesAndGoes(t *testing.T) {
	b := Book{}
	if _, why := b.Claim(well(), "webhook", clock("1", 0)); why != "nothing was amiss before" {
		t.Errorf("got %q", why)
	}
	b.tell(t, drifted("worker-1/files"), "webhook", clock("1", 0))
	if _, why := b.Claim(drifted("worker-1/files"), "webhook", clock("2", 1)); !strings.HasPrefix(why, "told already") {
		t.Errorf("got %q", why)
	}
	b.tell(t, drifted("worker-2/files"), "webhook", clock("3", 2))
	gone, why := b.Claim(well(), "webhook", clock("4", 3))
	if why != "" || !slices.Equal(gone.Over, []MessageKind{MessageDrift}) ||
		headline(gone.Message) != "the drift is gone; it is what the repository declares" {
		t.Errorf("%q, %+v", why, gone)
	}
	if _, why := b.Claim(well(), "webhook", clock("5", 3)); !strings.HasPrefix(why, "being told by job 4") {
		t.Errorf("two jobs tell that it is gone: %q", why)
	}
	b.Release(gone, clock("4", 3)) // it could not be sent
	b.tell(t, well(), "webhook", clock("6", 4))
	if _, why := b.Claim(well(), "webhook", clock("7", 5)); why != "nothing was amiss before" {
		t.Errorf("got %q", why)
	}
	b.tell(t, drifted("worker-1/files"), "webhook", clock("8", 6)) // the same again is told again
	b.tell(t, well(), "webhook", clock("9", 7))
}

func TestWhatIsOver(t *testing.T) {
	b := Book{}
	b.tell(t, failedAt("worker-1/drain"), "webhook", clock("1", 0))
	b.tell(t, drifted("worker-1/drain"), "webhook", clock("1", 0))
	b.tell(t, drifted("worker-1/drain"), "issue", clock("1", 0))
	done := EndMessage(lifecycle.Outcome{Site: "lab", Kind: lifecycle.OutcomeDone, Run: "run-1"})
	c := b.tell(t, done, "webhook", clock("2", 1))
	if !slices.Equal(c.Over, []MessageKind{MessageDrift, MessageFailed}) {
		t.Errorf("over: %v", c.Over)
	}
	if _, why := b.Claim(well(), "webhook", clock("3", 2)); why != "nothing was amiss before" {
		t.Errorf("after it was told to be done: %q", why)
	}
	b.tell(t, well(), "issue", clock("3", 2)) // whose drift is still open
	b.tell(t, failedAt("worker-1/drain"), "webhook", clock("4", 3))
	unchanged := EndMessage(lifecycle.Outcome{Site: "lab", Kind: lifecycle.OutcomeUnchanged})
	if c := b.tell(t, unchanged, "webhook", clock("5", 4)); headline(c.Message) != "it is what the repository declares again" {
		t.Errorf("got %q", headline(c.Message))
	}
}

// A look that found something ends the message that nothing could be found.
func TestUnseenEndsWithALook(t *testing.T) {
	b := Book{}
	b.tell(t, UnseenMessage("lab", "", "not reached"), "webhook", clock("1", 0))
	b.tell(t, drifted("worker-1/files"), "webhook", clock("2", 1))
	b.tell(t, UnseenMessage("lab", "", "not reached"), "webhook", clock("3", 2))
}

func TestBookIsBounded(t *testing.T) {
	b := Book{}
	for n := range MostRemembered + 5 {
		b.tell(t, failedAt(fmt.Sprint("step ", n)), "webhook", clock("1", n))
	}
	if len(b) != MostRemembered {
		t.Errorf("%d are kept, want %d", len(b), MostRemembered)
	}
	if _, why := b.Claim(failedAt("step 5"), "webhook", clock("2", 200)); why == "" {
		t.Error("the hundredth newest is forgotten")
	}
	if _, why := b.Claim(failedAt("step 4"), "webhook", clock("2", 0)); why != "" {
		t.Errorf("the oldest is remembered: %s", why)
	}
	other := Book{}
	for n := range 20 {
		other.tell(t, failedAt(fmt.Sprint("elsewhere ", n)), "webhook", clock("3", 300+n))
	}
	if b.Join(other); len(b) != MostRemembered || len(other) != 20 {
		t.Errorf("%d and %d are kept", len(b), len(other))
	}
	if _, why := b.Claim(failedAt("elsewhere 7"), "webhook", clock("4", 400)); why == "" {
		t.Error("what was remembered elsewhere is lost")
	}
}

func TestJoinKeepsWhatWasTold(t *testing.T) {
	m := failedAt("worker-1/drain")
	here, there := Book{}, Book{}
	if _, why := there.Claim(m, "webhook", clock("1", 0)); why != "" { // claimed in the cluster, which then stopped answering
		t.Fatal(why)
	}
	here.tell(t, m, "webhook", clock("1", 0))
	there.Join(here)
	if _, why := there.Claim(m, "webhook", clock("2", 30)); !strings.HasPrefix(why, "told already") {
		t.Errorf("got %q", why)
	}
	there.Join(Book{keyOf(m, "webhook"): clock("3", 40)})
	if _, why := there.Claim(m, "webhook", clock("4", 41)); !strings.HasPrefix(why, "told already by job 1") {
		t.Errorf("a claim replaced what was told: %q", why)
	}
}
