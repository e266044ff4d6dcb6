package forge

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

const (
	// ClaimHolds is how long a message that somebody set about telling is left to them. Whoever has not said by then that it was told, was
	// killed.
	ClaimHolds = 10 * time.Minute
	// MostRemembered is how many messages are remembered of a site.
	MostRemembered = 100
)

// Book is what was told of a site, by key: kind, what makes it the same message, and whom it was told, "failed.0f3a….webhook". Whoever
// changes it has it to himself meanwhile.
type Book map[string]lifecycle.Told

// Claimed is a message that its claimer, and nobody else, is to tell now.
type Claimed struct {
	Message
	key  string
	over []string
}

// Key tells this message from every other that its receiver is told.
func (c Claimed) Key() string { return c.key }

// Claim asks for a message to be the claimer's to tell to one receiver. Why says why it is not: it was told before, another is telling it,
// or nothing was amiss that could be over.
func (b Book) Claim(m Message, to string, mine lifecycle.Told) (claimed Claimed, why string) {
	open := b.open(to)
	if m.Kind == MessageDrift {
		b.drop(slices.DeleteFunc(slices.Clone(open), func(key string) bool { return kindOf(key) != MessageUnseen })) // it was seen after all
		open = b.open(to)
	}
	if m.Kind.Ends() {
		m.Over = kindsOf(open)
	}
	if m.Kind == MessageSettled {
		if len(open) == 0 {
			return Claimed{}, "nothing was amiss before"
		}
		for _, key := range open {
			m.sameness = append(m.sameness, key, b[key].Claim)
		}
	}
	key := keyOf(m, to)
	if was, known := b[key]; known {
		switch whom := byWhom(was); {
		case was.Done:
			return Claimed{}, "told already" + whom + " at " + was.At.UTC().Format(time.RFC3339)
		case was.Claim != mine.Claim && mine.At.Sub(was.At).Abs() < ClaimHolds:
			return Claimed{}, "being told" + whom + " since " + was.At.UTC().Format(time.RFC3339)
		}
	}
	mine.Done = false
	b[key] = mine
	b.bound(key)
	return Claimed{Message: m, key: key, over: open}, ""
}

// Confirm writes down that a claimed message was told. What it says to be over is forgotten, so that it is told again when it comes again.
func (b Book) Confirm(c Claimed, mine lifecycle.Told) {
	mine.Done = true
	b[c.key] = mine
	if c.Kind.Ends() {
		b.drop(c.over)
	}
	b.bound(c.key)
}

// Release gives a claimed message back that could not be told.
func (b Book) Release(c Claimed, mine lifecycle.Told) {
	if was, there := b[c.key]; there && was.Claim == mine.Claim && !was.Done {
		delete(b, c.key)
	}
}

// Join takes over what was remembered elsewhere.
func (b Book) Join(other Book) {
	for key, told := range other {
		if was, known := b[key]; !known || !was.Done && told.Done {
			b[key] = told
		}
	}
	b.bound("")
}

// open are the keys of what was told to be amiss, sorted. What nobody has confirmed yet is not told.
func (b Book) open(to string) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(b)) {
		if kindOf(key).Amiss() && strings.HasSuffix(key, "."+to) && b[key].Done {
			out = append(out, key)
		}
	}
	return out
}

func (b Book) drop(keys []string) {
	for _, key := range keys {
		delete(b, key)
	}
}

// bound lets go of the oldest beyond those that are kept, but never of one.
func (b Book) bound(spare string) {
	for len(b) > MostRemembered {
		oldest := ""
		for key, told := range b {
			if key != spare && (oldest == "" || told.At.Before(b[oldest].At) || told.At.Equal(b[oldest].At) && key < oldest) {
				oldest = key
			}
		}
		delete(b, oldest)
	}
}

func byWhom(t lifecycle.Told) string {
	if t.By == "" {
		return ""
	}
	return " by " + t.By
}

func keyOf(m Message, to string) string {
	sum := sha256.Sum256([]byte(m.Site + "\x00" + strings.Join(m.sameness, "\x00")))
	return fmt.Sprintf("%s.%s.%s", m.Kind, hex.EncodeToString(sum[:8]), to)
}

func kindOf(key string) MessageKind {
	kind, _, _ := strings.Cut(key, ".")
	return MessageKind(kind)
}

func kindsOf(keys []string) []MessageKind {
	var out []MessageKind
	for _, key := range keys {
		if k := kindOf(key); !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}
