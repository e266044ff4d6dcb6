package k0s

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// hostLockDir is where a machine keeps a site's lock. /run is empty after a reboot, and so is the lock.
const hostLockDir = "/run/kiban"

// hostLockCall bounds one command, so that several fit into the lock's duration.
const hostLockCall = lifecycle.LockDuration / 3

// HostLock is a site's lock on one of its controllers.
//
// Under the directory, lock/ exists with one file in it, named by the run that holds the lock, and beat.<run> counts its renewals. A
// contender prepares such a directory and renames it to lock: rename(2) puts it there whole, or fails while another with a file in it is
// there. A lock is taken over by renaming its holder's file away first, which one contender alone can do, and which a holder
// finds out as soon as it looks for its file. Whatever is interrupted leaves either a lock that is held or an empty directory, which is
// none. The epoch stays when nobody has the lock, with those that the machine was changed with; a lock that is taken when nobody has it
// must have the epoch still that it was read with, or another has had it meanwhile.
type HostLock struct {
	session *Session
	host    string
	dir     string
}

// HostLock is the lock on that host.
func (s *Session) HostLock(host string) *HostLock {
	return &HostLock{session: s, host: host, dir: hostLockDir}
}

// ReadLock tells who holds the lock.
func (h *HostLock) ReadLock(ctx context.Context) (lifecycle.Lock, error) {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	nonce := hex.EncodeToString(random[:])
	out, err := h.run(ctx, "looking for the site's lock", fmt.Sprintf(`N=%s; cd %s 2>/dev/null || { echo "$N none"; exit 0; }
D=.; echo "$N epoch $(`+newestEpoch+`)"
for f in lock/*; do
[ -f "$f" ] || continue
r=${f#lock/}
printf '%%s held %%s %%s\n' "$N" "$r" "$(cat "beat.$r" 2>/dev/null)"
cat "$f"
echo
done
echo "$N none"`, nonce, shellescape.Quote(h.dir)), "")
	if err != nil {
		return lifecycle.Lock{}, err
	}
	return parseHostLock(out, nonce, h.where())
}

// parseHostLock reads what the command said: for a held lock a line with the run and its beat, then its facts.
func parseHostLock(out, nonce, where string) (lifecycle.Lock, error) {
	none := lifecycle.Lock{Where: where}
	if !strings.Contains(out, nonce+" none") {
		return none, errors.New("the machine's answer about the lock is cut short")
	}
	_, epoch, _ := strings.Cut(out, nonce+" epoch ")
	epoch, _, _ = strings.Cut(epoch, "\n")
	if none.Epoch = lockEpoch(epoch); none.Epoch > 0 {
		none.Version = fmt.Sprintf(" %d", none.Epoch) // nobody's, and since then nobody else's
	}
	_, held, ok := strings.Cut(out, nonce+" held ")
	if !ok {
		return none, nil
	}
	line, facts, _ := strings.Cut(held, "\n")
	facts, _, _ = strings.Cut(facts, nonce)
	run, beat, _ := strings.Cut(line, " ")
	count, when, _ := strings.Cut(beat, " ")
	when, raised, _ := strings.Cut(when, " ")
	var l lifecycle.Lock
	if strings.TrimSpace(facts) == "" {
		return none, nil // it was released between two commands
	}
	if len(line) > 2*maxName || len(facts) > 2*maxFact {
		return none, fmt.Errorf("the lock %s cannot be read: %w", where, tooMuch{fmt.Sprintf("%d bytes about its holder", len(line)+len(facts))})
	}
	if err := json.Unmarshal([]byte(facts), &l); err != nil {
		return none, fmt.Errorf("the lock %s/%s cannot be read: %w", where, run, err)
	}
	l.Holder, l.Beat, l.Where, l.Version = run, beat, where, run+" "+count
	l.Who = cmp.Or(l.Who, run)
	l.Epoch = max(l.Epoch, lockEpoch(raised))
	if unix, err := strconv.ParseInt(when, 10, 64); err == nil {
		l.Renewed = time.Unix(unix, 0)
	}
	return l, nil
}

// WriteLock takes, renews, takes over or gives up the lock, on the condition that it is still as it was read (lock.Version).
func (h *HostLock) WriteLock(ctx context.Context, lock lifecycle.Lock) (lifecycle.Lock, error) {
	was, count, _ := strings.Cut(lock.Version, " ")
	for _, run := range []string{was, lock.Holder} {
		if strings.ContainsAny(run, "/ \n") || strings.HasPrefix(run, ".") {
			return lifecycle.Lock{}, fmt.Errorf("%q cannot name a run", run)
		}
	}
	n, _ := strconv.Atoi(count) // none is 0
	var doing, script, stdin string
	switch {
	case lock.Holder == was && was != "":
		doing, script = "renewing the site's lock", renewScript
	case lock.Holder == "":
		doing, script = "giving up the site's lock", freeScript
	default:
		n = 0
		facts, err := json.Marshal(lock)
		if err != nil {
			return lifecycle.Lock{}, err
		}
		doing, script, stdin = "taking the site's lock", takeScript, string(facts)
	}
	q := shellescape.Quote
	beat := fmt.Sprintf("%d %d %d", n+1, lock.Renewed.Unix(), lock.Epoch)
	out, err := h.run(ctx, doing, fmt.Sprintf("D=%s; WAS=%s; COUNT=%s; ME=%s; BEAT=%s; E=%d\n%s", q(h.dir), q(was), q(count), q(lock.Holder),
		q(beat), lock.Epoch, script), stdin)
	if err != nil {
		return lifecycle.Lock{}, err
	}
	if out == "moved" {
		return lifecycle.Lock{}, fmt.Errorf("%s: %w", h.where(), lifecycle.ErrLockMoved)
	}
	lock.Where = h.where()
	lock.Beat, lock.Version = beat, lock.Holder+" "+strconv.Itoa(n+1)
	if !lock.Held() {
		lock.Beat, lock.Version = "", ""
	}
	return lock, nil
}

// The commands. Each says "moved" when the lock is not as it was read.
const (
	renewScript = `[ -f "$D/lock/$ME" ] || { echo moved; exit 0; }
echo "$BEAT" > "$D/new-beat.$ME" && mv -f "$D/new-beat.$ME" "$D/beat.$ME"`

	freeScript = `[ -n "$WAS" ] || exit 0
mv -f "$D/lock/$WAS" "$D/freed.$WAS" 2>/dev/null || { echo moved; exit 0; }
rm -f "$D/freed.$WAS" "$D/beat.$WAS"
rmdir "$D/lock" 2>/dev/null
` + markEpoch + `
exit 0`

	takeScript = `rm -rf "$D/new.$ME" && mkdir -p "$D/new.$ME" && cat > "$D/new.$ME/$ME" || exit 1
echo "$BEAT" > "$D/beat.$ME" || exit 1
moved() { rm -rf "$D/new.$ME" "$D/beat.$ME"; echo moved; exit 0; }
unheld() { [ -n "$WAS" ] || [ "$(` + newestEpoch + `)" = "$COUNT" ]; }
unheld || moved
if [ -n "$WAS" ]; then
read -r n _ < "$D/beat.$WAS" 2>/dev/null
[ "$n" = "$COUNT" ] || moved
mv -f "$D/lock/$WAS" "$D/freed.$ME" 2>/dev/null || moved
rm -f "$D/freed.$ME" "$D/beat.$WAS"
fi
rmdir "$D/lock" 2>/dev/null
mv -T "$D/new.$ME" "$D/lock" 2>/dev/null || moved
unheld || { rm -f "$D/lock/$ME"; rmdir "$D/lock" 2>/dev/null; moved; }
` + markEpoch
)

func (h *HostLock) where() string { return h.dir + " on " + h.host }

// run runs a command for the lock, as root, through the gate that every command of a run passes. What fails is told as what was being done:
// the command is a script.
func (h *HostLock) run(ctx context.Context, doing, command, stdin string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, hostLockCall, fmt.Errorf("%s did not answer within %s", h.host, hostLockCall))
	defer cancel()
	t := &task{Session: h.session, step: lifecycle.Step{ID: "lock", Target: h.host}, progress: func(string) {}, ctx: ctx, refused: &refusals{}}
	if err := t.attachTarget(); err != nil {
		return "", err
	}
	out, err := t.on.pipe(ctx, command, strings.NewReader(stdin), nil)
	if err != nil && context.Cause(ctx) != nil {
		err = context.Cause(ctx)
	}
	if failed, ok := errors.AsType[*commandError](err); ok {
		failed.doing = doing
	}
	return out, err
}
