package twin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// What the files of a lab take.
const (
	// etcdFile is what etcd takes for its write-ahead log in one piece, before anything is in it. Where there is less, its next file can't
	// be made, and the control plane ends.
	etcdFile = 64 << 20
	// roomController is that log, the next piece of it, and the data of a site; roomMachine is what any machine has.
	roomController = 2*etcdFile + 32<<20
	roomMachine    = 1 << 20
	// roomLab is what a lab has beside its machines (journals, backups, releases), and what must be left of the disk.
	roomLab = 16<<20 + etcdFile
)

// Room is what a lab needs of a disk.
type Room struct {
	// Folder is where the lab's own folder is made; "" is the one for temporary files.
	Folder string
	// Controllers and Machines are how many it has; controllers are machines.
	Controllers, Machines int
	// free is how many bytes may still be written into a folder; nil: the system tells.
	free func(folder string) (int64, error)
}

func (r Room) left() (int64, error) {
	if r.free != nil {
		return r.free(r.folder())
	}
	return freeIn(r.folder())
}

// Need is how many bytes the lab's files take.
func (r Room) Need() int64 {
	return int64(r.Controllers)*roomController + int64(r.Machines)*roomMachine + roomLab
}

func (r Room) folder() string {
	if r.Folder == "" {
		return os.TempDir()
	}
	return r.Folder
}

// Check refuses a folder in which the lab can't be made: it has no such room, or takes no files.
func (r Room) Check() error {
	probe, err := os.MkdirTemp(r.folder(), "kiban-twin-")
	if err != nil {
		return NoRoom(r.folder(), err)
	}
	if err := os.Remove(probe); err != nil {
		return NoRoom(r.folder(), err)
	}
	free, err := r.left()
	if err != nil || free >= r.Need() {
		return nil // how much there is may not be told; then it shows while the lab is made
	}
	return noRoom(r.folder(), free).Because(fmt.Sprintf("This lab, with %s, needs some %s.", lifecycle.Count(r.Machines, "machine"),
		lifecycle.Bytes(r.Need())))
}

// fullError is why a lab was ended whose disk is full. It hides the finding from whoever takes a context's cause for one of the lock.
type fullError struct{ found lifecycle.Diagnostic }

func (e fullError) Error() string { return e.found.Error() }

// Full is what to say of a context that Watch has ended; false: it did not.
func Full(ctx context.Context) (lifecycle.Diagnostic, bool) {
	full, ok := errors.AsType[fullError](context.Cause(ctx))
	return full.found, ok
}

// watchEvery is how often the room for a lab is looked at.
const watchEvery = time.Second

// Watch is a context that ends when there is no room any more: whoever waits for the lab would wait in vain. The function ends the watch.
func (r Room) Watch(ctx context.Context) (context.Context, func()) {
	return r.watch(ctx, watchEvery)
}

func (r Room) watch(ctx context.Context, every time.Duration) (context.Context, func()) {
	watched, end := context.WithCancelCause(ctx)
	go func() {
		for {
			select {
			case <-watched.Done():
				return
			case <-time.After(every):
			}
			if left, err := r.left(); err == nil && left < etcdFile {
				end(fullError{noRoom(r.folder(), left)})
			}
		}
	}()
	return watched, func() { end(nil) }
}

// Within runs what a lab is for, and ends it when there is no room for the lab any more. Then the error says so, whatever was said
// beside: what a lab without room did proves nothing. That is so, too, where it ends without an error, proven says that nothing came
// of it, and the disk is full now.
func (r Room) Within(ctx context.Context, run func(context.Context) error, proven func() bool) error {
	return r.within(ctx, watchEvery, run, proven)
}

func (r Room) within(ctx context.Context, every time.Duration, run func(context.Context) error, proven func() bool) error {
	watched, over := r.watch(ctx, every)
	defer over()
	err := run(watched)
	if ctx.Err() != nil || err == nil && proven() {
		return err
	}
	if full, yes := Full(watched); yes {
		return full
	}
	if left, unknown := r.left(); unknown == nil && left < etcdFile {
		return noRoom(r.folder(), left)
	}
	return err
}

// NoRoom is what to say of files of a lab that could not be written into a folder: that the disk is full, how much room a lab needs, and
// what to do; or, where something else was wrong, what.
func NoRoom(folder string, err error) lifecycle.Diagnostic {
	if !IsFull(err) {
		return lifecycle.Errorf(folder, "the files of the lab can't be written").From(err).Try(roomElsewhere)
	}
	free, unknown := freeIn(folder)
	if unknown != nil || free >= etcdFile { // a quota, or files that may be no more than there are
		return noRoom(folder, -1).Because("It was told: " + lifecycle.InWords(err)).Hiding(err)
	}
	return noRoom(folder, free).Hiding(err)
}

// IsFull reports whether an error says that a disk is full, or a user's part of it. A machine of the lab says so in words.
func IsFull(err error) bool {
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		if errors.Is(err, full) || err != nil && strings.Contains(err.Error(), full.Error()) {
			return true
		}
	}
	return false
}

const roomElsewhere = "Make room there, or have them made elsewhere: TMPDIR=/another/folder."

// noRoom says that a folder has no room for a lab; free is how many bytes it has, below 0 where nobody tells.
func noRoom(folder string, free int64) lifecycle.Diagnostic {
	d := lifecycle.Errorf(folder, "there is no room for the files of the lab").Try(roomElsewhere)
	if free >= 0 {
		d = d.Because("Its disk has " + lifecycle.Bytes(free) + " left.")
	}
	return d.Because(fmt.Sprintf("A lab needs some %s for each controller, and %s for any other machine.",
		lifecycle.Bytes(roomController+roomMachine), lifecycle.Bytes(roomMachine)))
}

// freeIn is how many bytes may still be written into a folder by who runs kiban.
func freeIn(folder string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(folder, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}
