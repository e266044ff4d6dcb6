package simulate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// sim is one seed's bubble: a world, what befalls it, and who works on it.
type sim struct {
	seed  uint64
	began time.Time
	dir   string // for journals
	// tell prints the history as it comes about.
	tell bool

	mu    sync.Mutex
	w     *world
	net   network
	rules rules
	era   int // takes of the lock so far
	// processes are all that were ever run.
	processes []*process
	lines     []string
	broken    []string
	faulty    bool // faults happen; when they have ended, what was run must come to its end
	effects   int
}

// rules are what may befall the world of a seed.
type rules struct {
	operators                                           int
	kills, pauses, partitions, power, disks, lost, late bool
	clocks, cordons                                     bool
	changes                                             int
	lasts                                               time.Duration
}

// network is who can't reach whom: "alice api", "alice worker-1".
type network map[string]bool

func newSim(seed uint64, dir string) *sim {
	s := &sim{seed: seed, tell: *only == seed, began: time.Now(), dir: dir, net: network{}, faulty: true}
	r := s.rand("site")
	s.rules = randomRules(r)
	s.w = newWorld(s, randomSite(r))
	s.w.populate(r)
	return s
}

// randomRules choose what befalls a world: each kind in about half of them, so that there are calm ones too.
func randomRules(r *rand.Rand) rules {
	coin := func() bool { return r.IntN(2) == 0 }
	return rules{operators: 1 + r.IntN(3), kills: coin(), pauses: coin(), partitions: coin(), power: coin(), disks: coin(), lost: coin(),
		late: coin(), clocks: coin(), cordons: coin(), changes: 1 + r.IntN(3), lasts: time.Duration(10+r.IntN(35)) * time.Minute}
}

// rand is a stream of its own for each key, so that nothing depends on the order in which goroutines come to ask.
func (s *sim) rand(key string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // never fails
	return rand.New(rand.NewPCG(s.seed, h.Sum64()))
}

// at is a stream for what happens now.
func (s *sim) at(key string) *rand.Rand {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(time.Since(s.began)))
	return s.rand(key + string(b[:]))
}

// between is a duration for what happens now.
func (s *sim) between(key string, low, high time.Duration) time.Duration {
	return within(s.at(key), low, high)
}

func within(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)))
}

// with changes the world.
func (s *sim) with(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

var runID = regexp.MustCompile(`\d{8}-\d{6}-[0-9a-f]{6}`)

// record adds to the history. It is called with s.mu held.
func (s *sim) record(format string, args ...any) {
	line := fmt.Sprintf("%10.3f ", time.Since(s.began).Seconds()) + runID.ReplaceAllString(fmt.Sprintf(format, args...), "RUN")
	s.lines = append(s.lines, line)
	if s.tell {
		fmt.Println(line)
	}
}

// fail notes that what must always hold did not. It is called with s.mu held.
func (s *sim) fail(format string, args ...any) {
	s.broken = append(s.broken, fmt.Sprintf(format, args...))
	s.record("BROKEN "+format, args...)
}

// remark adds to the history what the order of goroutines may word another way.
func (s *sim) remark(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		s.record("%s%s", remarked, line)
	}
}

const remarked = "# "

// events are the history without remarks.
func events(history []string) []string {
	return slices.DeleteFunc(slices.Clone(history), func(l string) bool { return strings.Contains(l, " "+remarked) })
}

// digest identifies the history.
func (s *sim) digest() string {
	sum := sha256.Sum256([]byte(strings.Join(events(s.lines), "\n")))
	return hex.EncodeToString(sum[:8])
}

// outcome is what became of a seed.
type outcome struct {
	seed    uint64
	broken  []string
	history []string
	digest  string
	effects int
	lasted  time.Duration
}

// play runs the seed to its end. It is called in a bubble.
func play(seed uint64, dir string) outcome {
	s := newSim(seed, dir)
	ctx, end := context.WithCancel(context.Background())
	s.with(func() { s.record("%+v", s.rules); s.record("%s", describe(s.w.site)) })
	var nature sync.WaitGroup
	nature.Go(func() { s.nature(ctx) })
	s.disturbed(ctx)
	s.with(s.calm)
	s.settle(ctx)
	s.sleep(ctx, 3*time.Minute) // what is on its way arrives: a bubble's clock stands when its first goroutine has ended
	end()
	nature.Wait()
	return outcome{seed, slices.Clone(s.broken), s.lines, s.digest(), s.effects, time.Since(s.began)}
}

// disturbed is the time in which faults happen: operators type, the repository changes, the world goes wrong.
func (s *sim) disturbed(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, s.rules.lasts)
	defer stop()
	var all sync.WaitGroup
	all.Go(func() { s.changes(ctx) })
	for _, f := range s.faults() {
		all.Go(func() { f(ctx) })
	}
	for i := range s.rules.operators {
		all.Go(func() { s.operator(ctx, []string{"alice", "bob", "carol"}[i]) })
	}
	all.Wait()
}

// nature is the pulse of what happens by itself.
func (s *sim) nature(ctx context.Context) {
	for s.sleep(ctx, time.Second+137*time.Nanosecond) {
		s.with(s.w.live)
	}
}

// sleep reports whether it was not ended.
func (s *sim) sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// calm ends all faults.
func (s *sim) calm() {
	s.faulty = false
	clear(s.net)
	s.w.silent = false
	for _, name := range s.w.names() {
		m := s.w.machines[name]
		m.full, m.skew = false, 0
		s.w.power(m, true)
	}
	s.record("calm")
}
