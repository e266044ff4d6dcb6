package forge

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

// rememberTime is how long each look into the memory may take.
const rememberTime = 15 * time.Second

// Keeper keeps what people were told of a site. edit may be called more than once.
type Keeper interface {
	UpdateTold(ctx context.Context, edit func(map[string]lifecycle.Told)) error
}

// Memory is what was told of a site: in its cluster; in a folder here where there is none, or it does not answer; in this process alone
// where the folder can't be written.
type Memory struct {
	// Cluster is nil where none can be asked. Dir is the folder, with a file a message; "" when it can't be written.
	Cluster Keeper
	Dir     string
	// Note says what less is remembered in.
	Note func(format string, args ...any)

	here Book
}

// update changes what is remembered. edit may be called more than once. It never fails: less and less of it outlives the job.
func (m *Memory) update(ctx context.Context, edit func(Book)) {
	ctx, cancel := lifecycle.Within(ctx, rememberTime, "no answer")
	defer cancel()
	if m.Cluster != nil {
		meanwhile := readTold(m.Dir) // from before there was a cluster, or while it did not answer
		err := m.Cluster.UpdateTold(ctx, func(told map[string]lifecycle.Told) {
			book := Book(told)
			book.Join(meanwhile)
			edit(book)
		})
		if err == nil {
			for key := range meanwhile {
				_ = os.Remove(toldFile(m.Dir, key)) // the cluster has it
			}
			return
		}
		m.Note("The cluster could not be asked what was told before, so it is remembered in %s: %s", m.Dir, firstLine(err))
		m.Cluster = nil
	}
	if m.Dir != "" {
		err := updateTold(m.Dir, edit)
		if err == nil {
			return
		}
		m.Note("It can't be remembered what was told, so a retry tells it again: %s", firstLine(err))
		m.here, m.Dir = readTold(m.Dir), ""
	}
	if m.here == nil {
		m.here = Book{}
	}
	edit(m.here)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

const toldExt = ".json"

func toldFile(dir, key string) string { return filepath.Join(dir, key+toldExt) }

// readTold passes over what it can't read.
func readTold(dir string) Book {
	book := Book{}
	files, err := filepath.Glob(filepath.Join(dir, "*"+toldExt))
	if err != nil || dir == "" {
		return book
	}
	for _, f := range files {
		var t lifecycle.Told
		if b, err := os.ReadFile(f); err == nil && json.Unmarshal(b, &t) == nil && !t.At.IsZero() {
			book[strings.TrimSuffix(filepath.Base(f), toldExt)] = t
		}
	}
	return book
}

// claimTries is how often a message is claimed anew after another process has claimed one at the same moment.
const claimTries = 5

// updateTold changes a folder's memory. Of two processes that write a key which was not there, one fails, and looks again.
func updateTold(dir string, edit func(Book)) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var err error
	for range claimTries {
		before, book := readTold(dir), readTold(dir)
		edit(book)
		if err = writeTold(dir, before, book); !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return err
}

// writeTold makes the folder say what book does. The error is fs.ErrExist when another process was faster.
func writeTold(dir string, before, book Book) error {
	for key, t := range book {
		was, known := before[key]
		if known && was == t {
			continue
		}
		b, err := json.Marshal(t)
		if err != nil {
			return err
		}
		if err := placeTold(dir, key, b, known); err != nil {
			return err
		}
	}
	for key := range before {
		if _, kept := book[key]; kept {
			continue
		}
		if err := os.Remove(toldFile(dir, key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// placeTold puts a whole file in its place: instead of the one that is there, or where there is none.
func placeTold(dir, key string, content []byte, replace bool) error {
	if replace {
		return atomicfile.Write(toldFile(dir, key), content, 0o600)
	}
	return atomicfile.Add(toldFile(dir, key), content, 0o600)
}
