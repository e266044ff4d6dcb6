package k0s

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// A machine remembers the greatest epoch of the site's lock that it was changed with: an empty file epoch.<n> in hostLockDir. What comes
// from a run with an older one is late, because another has the lock by now, and is refused there. Each epoch has a file of its own, so
// that no write can take the place of a greater one.

// markEpoch is a command that leaves $E on a machine, in the folder $D, and clears older ones away.
const markEpoch = `mkdir -p "$D" && : >"$D/epoch.$E" && for f in "$D"/epoch.*; do [ "${f##*.}" -ge "$E" ] || rm -f "$f"; done`

// newestEpoch is a command that says what the greatest epoch in the folder $D is; nothing where there is none.
const newestEpoch = `n=0; for f in "$D"/epoch.*; do [ "${f##*.}" -gt "$n" ] 2>/dev/null && n=${f##*.}; done; [ "$n" = 0 ] || echo "$n"`

// Refusals of a machine.
const (
	outrankedStatus = 76 // of a command that was not begun
	outrankedSays   = "kiban: not begun: this machine knows epoch "
)

// epochScript ends with 0 when the machine knows no greater epoch than $1, which it knows afterwards. Its mark is made before it looks:
// of two that come at once the one with the smaller epoch sees the other's. $2 is the folder, $3 the command that makes the mark as root.
const epochScript = `E=$1 D=$2
[ -e "$D/epoch.$E" ] || { export E D; if [ "$(id -u)" = 0 ]; then sh -c "$3"; else sudo -n -- sh -c "E=$E D=$D; $3"; fi; } || exit
for f in "$D"/epoch.*; do [ "${f##*.}" -le "$E" ] || { echo "` + outrankedSays + `${f##*.}" >&2; exit 1; }; done`

// behindEpoch is a command that is not begun on a machine that knows a greater epoch than the run's.
func behindEpoch(epoch int, dir, command string) string {
	q := shellescape.Quote
	return fmt.Sprintf("sh -c %s kiban %d %s %s </dev/null || exit %d\n%s", q(epochScript), epoch, q(dir), q(markEpoch), outrankedStatus,
		command)
}

// lockEpoch reads what a machine says of an epoch. One that no lock could ever have come to is no epoch: the next one would have no number.
func lockEpoch(said string) int {
	n, err := strconv.Atoi(strings.TrimSpace(said))
	if err != nil || n < 0 || n > 2_000_000_000 {
		return 0
	}
	return n
}

// outranked says that a machine refused a command of this run: it knows a greater epoch.
type outranked struct {
	host        string
	ours, there int
}

func (o outranked) Error() string {
	return fmt.Sprintf("%s refuses what comes with epoch %d: it knows %d", o.host, o.ours, o.there)
}

func (o outranked) finding(site string) lifecycle.Diagnostic {
	return lifecycle.Blockedf(o.host, "the machine refused a command that came too late: another run has changed it since").
		Because(fmt.Sprintf("It was sent with epoch %d of the site's lock, and the machine knows %d. It was not begun.", o.ours, o.there)).
		Try(fmt.Sprintf("Let that run finish: kiban status %s. Then run the same command again: it carries on from what is there.", site)).
		From(o)
}

// refusals is what machines refused during a step. The libraries in between may take a refusal for something else: a probe that fails.
type refusals struct {
	mu    sync.Mutex
	first *outranked
}

func (r *refusals) note(o outranked) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first == nil {
		r.first = &o
	}
}

// why is the first refusal; nil when there was none.
func (r *refusals) why() *outranked {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first
}

// overheard hands on what a command says, and keeps the beginning.
type overheard struct {
	next io.Writer
	mu   sync.Mutex
	said bytes.Buffer
}

func (o *overheard) Write(p []byte) (int, error) {
	o.mu.Lock()
	if room := 256 - o.said.Len(); room > 0 {
		o.said.Write(p[:min(len(p), room)])
	}
	o.mu.Unlock()
	if o.next == nil {
		return len(p), nil
	}
	return o.next.Write(p)
}

// refused is the epoch that a refusal named.
func (o *overheard) refused() (epoch int, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, rest, ok := strings.Cut(o.said.String(), outrankedSays)
	line, _, _ := strings.Cut(rest, "\n")
	return lockEpoch(line), ok
}

// exitStatus is what a command that failed ended with; 0 when it is not known.
func exitStatus(err error) int {
	if e, ok := errors.AsType[interface {
		error
		ExitStatus() int
	}](err); ok {
		return e.ExitStatus()
	}
	return 0
}
