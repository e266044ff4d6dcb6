package main

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// absent is the mark of an object that is not there.
const absent = -1

// entry is what the API has said of one object: the last mark that it acknowledged, and those that were sent since and may be in force.
type entry struct {
	acked    int
	possible []int
}

// ledger is what was written, and what of it was acknowledged. Each write has a higher mark than those before it. It is safe for
// use by several.
type ledger struct {
	mu      sync.Mutex
	entries map[string]entry
	acks    int
}

func newLedger() *ledger { return &ledger{entries: map[string]entry{}} }

// sent notes that a write is on its way: until it is answered its mark may be in force or not.
func (l *ledger) sent(key string, mark int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, known := l.entries[key]
	if !known {
		e.acked = absent
	}
	e.possible = append(e.possible, mark)
	l.entries[key] = e
}

// acknowledged notes that the API took the write.
func (l *ledger) acknowledged(key string, mark int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[key] = entry{acked: mark}
	l.acks++
}

// refused notes that the API said no: the write is not in force. Where a former one got no answer, this may be the consequence of that.
func (l *ledger) refused(key string, mark int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[key]
	e.possible = slices.DeleteFunc(e.possible, func(p int) bool { return p == mark })
	l.entries[key] = e
}

// verdict is what became of acknowledged writes.
type verdict struct{ Live, Lost, Stale, Wrong int }

func (v verdict) bad() int { return v.Lost + v.Stale + v.Wrong }

// judge holds what is seen, a mark by object, against what was acknowledged, while nobody writes, and then takes what is seen for
// what is. The texts say what is not as it should be.
func (l *ledger) judge(seen map[string]int) (v verdict, texts []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key := range seen {
		if _, known := l.entries[key]; !known {
			v.Wrong++
			texts = append(texts, key+" was never written")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(l.entries)) {
		e := l.entries[key]
		is, there := seen[key]
		if !there {
			is = absent
		} else {
			v.Live++
		}
		switch {
		case is == e.acked || slices.Contains(e.possible, is):
		case is == absent:
			v.Lost++
			texts = append(texts, fmt.Sprintf("%s is gone; write %d was acknowledged", key, e.acked))
		case is < e.acked:
			v.Stale++
			texts = append(texts, fmt.Sprintf("%s is at write %d; %d was acknowledged", key, is, e.acked))
		default:
			v.Wrong++
			texts = append(texts, fmt.Sprintf("%s is at write %d; %d was the last acknowledged, and none since", key, is, e.acked))
		}
		if is == absent {
			delete(l.entries, key) // no name is used twice
		} else {
			l.entries[key] = entry{acked: is}
		}
	}
	return v, texts
}

// count is how many writes were acknowledged.
func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acks
}

// mark is what is known of an object's state; ok is false where it may not be there.
func (l *ledger) mark(key string) (mark int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, known := l.entries[key]
	return e.acked, known && e.acked != absent && len(e.possible) == 0
}
