package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/review"
)

// bench is a site in memory: what was asked of it is kept, in order.
type bench struct {
	calls []string
	plans []lifecycle.Plan // one for each time that a plan is made; the last again and again
	ran   []lifecycle.Plan
	runs  []Run
	busy  error // of whoever waits for the lock
	fails error // of runs
}

func (b *bench) did(what string) { b.calls = append(b.calls, what) }

func (b *bench) Observe(context.Context) (lifecycle.State, error) {
	b.did("look")
	return lifecycle.State{Site: "lab"}, nil
}
func (b *bench) Credentials(context.Context) (lifecycle.Credentials, error) {
	return lifecycle.Credentials{}, nil
}
func (b *bench) Close() error { return nil }

func (b *bench) Contend(lock.Claim) Contender { return b }
func (b *bench) Locks(context.Context, lifecycle.State) ([]lifecycle.Lock, error) {
	return nil, nil
}
func (b *bench) BreakLock(context.Context, lifecycle.State, lifecycle.Lock) error { return nil }

func (b *bench) Await(context.Context, lifecycle.State) (bool, error) {
	b.did("await")
	return false, b.busy
}

func (b *bench) Take(context.Context, lifecycle.State) (*lock.Fence, func(), error) {
	b.did("take")
	return &lock.Fence{}, func() { b.did("release") }, nil
}

func (b *bench) Run(_ context.Context, plan lifecycle.Plan, run Run) error {
	b.did("run")
	b.ran, b.runs = append(b.ran, plan), append(b.runs, run)
	if run.Fence == nil && !harmless(plan) {
		return errors.New("a run that changes the site has no fence")
	}
	e := lifecycle.Event{Format: lifecycle.EventFormat, Run: run.ID, Kind: lifecycle.EventSummary, Message: "1 of 1 steps done",
		Elapsed: 3 * time.Second}
	return errors.Join(run.Sink(e), b.fails)
}

func (b *bench) next() lifecycle.Plan {
	b.did("plan")
	p := b.plans[0]
	if len(b.plans) > 1 {
		b.plans = b.plans[1:]
	}
	return p
}

func (b *bench) open(t *testing.T, opts Options) *Session {
	t.Helper()
	opts.Fleet = t.TempDir()
	return With(lifecycle.Site{Name: "lab"}, opts, Parts{Site: b, Lock: b, Runner: b, Plans: Planners{
		Make:    func(lifecycle.Site, lifecycle.State, lifecycle.PlanOptions) lifecycle.Plan { return b.next() },
		Node:    func(lifecycle.Site, lifecycle.State, lifecycle.NodeTask) lifecycle.Plan { return b.next() },
		Restore: func(lifecycle.Site, lifecycle.State, lifecycle.Backup, bool) lifecycle.Plan { return b.next() },
	}})
}

func (b *bench) want(t *testing.T, name, calls string) {
	t.Helper()
	if got := strings.Join(b.calls, " "); got != calls {
		t.Errorf("%s: %s; want %s", name, got, calls)
	}
}

// Whatever changes a site goes the same way: what was planned before the lock was there is planned again under it. No hook is needed.
func TestOneLoopForAll(t *testing.T) {
	verbs := map[string]func(*Session) (Result, error){
		"apply":   func(s *Session) (Result, error) { return s.Apply(t.Context(), ApplyOptions{}) },
		"node":    func(s *Session) (Result, error) { return s.Node(t.Context(), lifecycle.NodeTask{}) },
		"restore": func(s *Session) (Result, error) { return s.Restore(t.Context(), false) },
	}
	for name, verb := range verbs {
		opts := Options{Restore: &backup.Source{}}
		b := &bench{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade"), planOf("g", "worker-1/uncordon")}}
		r, err := verb(b.open(t, opts))
		if err != nil || r.Run == "" || len(r.Plans) != 1 || r.Summary != "1 of 1 steps done in 3s" || len(b.ran) != 1 ||
			b.ran[0].Steps[0].ID != "worker-1/uncordon" {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		b.want(t, name, "look plan await take look plan run release")

		b = &bench{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}, busy: lock.Held("lab", lifecycle.Lock{Who: "bob@ws2"}, time.Now())}
		if r, err := verb(b.open(t, opts)); !errors.Is(err, lock.ErrHeld) || r.Run != "" {
			t.Errorf("%s while another is at work: %+v, %v", name, r, err)
		}
		b.want(t, name+" while another is at work", "look plan await")

		b = &bench{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}, fails: errors.New("no")}
		s := b.open(t, opts)
		if r, err := verb(s); err == nil || r.Run == "" {
			t.Errorf("%s that fails: %+v, %v", name, r, err)
		}
		b.want(t, name+" that fails", "look plan await take look plan run release")
		if journals, _ := filepath.Glob(filepath.Join(RunsDir(s.opts.Fleet), "lab", "*.jsonl")); len(journals) != 2 {
			t.Errorf("%s: journals %v", name, journals)
		}

		b = &bench{plans: []lifecycle.Plan{planOf("f")}}
		if r, err := verb(b.open(t, opts)); err != nil || r.Run != "" || len(r.Plans) != 1 {
			t.Errorf("%s of nothing: %+v, %v", name, r, err)
		}
		b.want(t, name+" of nothing", "look plan")
	}
}

// People see each plan once, and again when it has become another; who says no has changed nothing.
func TestHooksShowAndAsk(t *testing.T) {
	no := errors.New("not confirmed")
	for name, tt := range map[string]struct {
		plans []lifecycle.Plan
		saved *SavedPlan
		said  error
		want  []string
	}{
		"once": {plans: []lifecycle.Plan{planOf("f", "worker-1/drain")}, want: []string{"show f", "confirm f", "watch f"}},
		"again when it is another": {plans: []lifecycle.Plan{planOf("f", "worker-1/drain"), planOf("g", "worker-1/drain")},
			want: []string{"show f", "confirm f", "show g", "confirm g", "watch g"}},
		"no": {plans: []lifecycle.Plan{planOf("f", "worker-1/drain")}, said: no, want: []string{"show f", "confirm f"}},
		"who saved it has said": {plans: []lifecycle.Plan{planOf("f", "worker-1/drain")}, saved: &SavedPlan{Plan: planOf("f", "worker-1/drain")},
			want: []string{"show f", "watch f"}},
		"nothing to do": {plans: []lifecycle.Plan{planOf("f")}},
	} {
		var got []string
		b := &bench{plans: tt.plans}
		s := b.open(t, Options{Hooks: Hooks{
			Show: func(p lifecycle.Plan) error { got = append(got, "show "+p.FactsDigest); return nil },
			Confirm: func(_ context.Context, p lifecycle.Plan) error {
				got = append(got, "confirm "+p.FactsDigest)
				return tt.said
			},
			Watch: func(p lifecycle.Plan, run, journal string) View {
				got = append(got, "watch "+p.FactsDigest)
				if _, err := os.Stat(journal); err != nil || !strings.Contains(journal, run) {
					t.Errorf("%s: the journal of run %s: %v", name, run, err)
				}
				return View{}
			},
		}})
		if _, err := s.Apply(t.Context(), ApplyOptions{Saved: tt.saved}); !errors.Is(err, tt.said) {
			t.Errorf("%s: %v", name, err)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		if (tt.said == nil && len(tt.plans[0].Steps) > 0) != (len(b.ran) == 1) {
			t.Errorf("%s: ran %d", name, len(b.ran))
		}
	}
}

// A plan with findings that stop it is shown and not carried out; one that is not the saved one is not even shown.
func TestPlansThatDoNotGo(t *testing.T) {
	blocked := planOf("f", "worker-1/drain")
	blocked.Diagnostics = lifecycle.Diagnostics{lifecycle.Blockedf("lab", "no room")}
	b, shown := &bench{plans: []lifecycle.Plan{blocked}}, 0
	hooks := Hooks{Show: func(lifecycle.Plan) error { shown++; return nil }}
	var stopped PlanError
	if _, err := b.open(t, Options{Hooks: hooks}).Apply(t.Context(), ApplyOptions{}); !errors.As(err, &stopped) || shown != 1 || b.ran != nil {
		t.Errorf("blocked: %v, shown %d times, ran %v", err, shown, b.ran)
	}
	// What is found between the yes and the lock, such as a budget that allows nothing any more, is shown too: the plan is the same otherwise.
	b, shown = &bench{plans: []lifecycle.Plan{planOf("f", "worker-1/drain"), blocked}}, 0
	if _, err := b.open(t, Options{Hooks: hooks}).Apply(t.Context(), ApplyOptions{}); !errors.As(err, &stopped) || shown != 2 || b.ran != nil {
		t.Errorf("blocked under the lock: %v, shown %d times, ran %v", err, shown, b.ran)
	}
	b, shown = &bench{plans: []lifecycle.Plan{planOf("g", "worker-1/drain")}}, 0
	saved := &SavedPlan{Plan: planOf("f", "worker-1/drain")}
	if _, err := b.open(t, Options{Hooks: hooks}).Apply(t.Context(), ApplyOptions{Saved: saved}); !errors.Is(err, review.ErrStale) ||
		shown != 0 || b.ran != nil {
		t.Errorf("stale: %v, shown %d times, ran %v", err, shown, b.ran)
	}
}

// A plan that can't see beyond its end is followed by another only where the verb goes on. Who records what the site runs now waits for
// that one, and for none that will not come.
func TestRunsKnowWhatFollows(t *testing.T) {
	begins := planOf("f", "worker-1/upgrade")
	begins.Unfinished = "the API does not answer yet"
	b := &bench{plans: []lifecycle.Plan{begins, begins, planOf("g", "worker-1/uncordon")}}
	if r, err := b.open(t, Options{}).Apply(t.Context(), ApplyOptions{}); err != nil || len(b.runs) != 2 || len(r.Plans) != 2 ||
		!b.runs[0].Follows || b.runs[1].Follows || b.runs[0].Doing != "apply" {
		t.Errorf("apply: %+v, %v, %+v", r, err, b.runs)
	}
	b = &bench{plans: []lifecycle.Plan{begins}}
	if r, err := b.open(t, Options{Restore: &backup.Source{File: backup.File{Path: "/b/lab.age"}}}).Restore(t.Context(),
		false); err != nil || len(b.runs) != 1 ||
		r.Remains == "" || b.runs[0].Follows || b.runs[0].Doing != "restore from lab.age" {
		t.Errorf("restore: %+v, %v, %+v", r, err, b.runs)
	}
}

// A backup changes nothing: it waits for nobody, and nobody is asked.
func TestBackupNeedsNoLock(t *testing.T) {
	b := &bench{}
	s := b.open(t, Options{Hooks: Hooks{Confirm: func(context.Context, lifecycle.Plan) error { return errors.New("asked") }}})
	if _, err := s.Backup(t.Context(), ""); err != nil {
		t.Error(err)
	}
	b.want(t, "backup", "run")
	if _, err := s.Restore(t.Context(), false); err == nil {
		t.Error("a session without a backup restores")
	}
}
