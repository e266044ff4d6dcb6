package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/session"
)

// toldDir is where it is remembered what was told of a site whose cluster can't: a file a message.
func toldDir(fleet, site string) string { return filepath.Join(session.StateDir(fleet), "told", site) }

// toldMemory is what was told of a site: in its cluster; in a folder here where there is none, or it does not answer; in this process alone
// where the folder can't be written.
type toldMemory struct {
	app *app
	// conn is the way to the cluster, nil when there is none; dir the folder, "" when it can't be written.
	conn *session.Session
	dir  string
	here forge.Book
}

// update changes what is remembered. edit may be called more than once. It never fails: less and less of it outlives the job.
func (m *toldMemory) update(ctx context.Context, edit func(forge.Book)) {
	ctx, cancel := context.WithTimeout(ctx, rememberTime)
	defer cancel()
	if m.conn != nil {
		meanwhile := readToldDir(m.dir) // from before there was a cluster, or while it did not answer
		err := m.conn.UpdateTold(ctx, func(told map[string]lifecycle.Told) {
			book := forge.Book(told)
			book.Join(meanwhile)
			edit(book)
		})
		if err == nil {
			for key := range meanwhile {
				_ = os.Remove(toldFile(m.dir, key)) // the cluster has it
			}
			return
		}
		m.app.note("The cluster could not be asked what was told before, so it is remembered in %s: %s", m.dir, firstLine(err))
		m.conn = nil
	}
	if m.dir != "" {
		err := updateToldDir(m.dir, edit)
		if err == nil {
			return
		}
		m.app.note("It can't be remembered what was told, so a retry tells it again: %s", firstLine(err))
		m.here, m.dir = readToldDir(m.dir), ""
	}
	if m.here == nil {
		m.here = forge.Book{}
	}
	edit(m.here)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

const toldExt = ".json"

func toldFile(dir, key string) string { return filepath.Join(dir, key+toldExt) }

// readToldDir passes over what it can't read.
func readToldDir(dir string) forge.Book {
	book := forge.Book{}
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

// updateToldDir changes a folder's memory. Of two processes that write a key which was not there, one fails, and looks again.
func updateToldDir(dir string, edit func(forge.Book)) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var err error
	for range claimTries {
		before, book := readToldDir(dir), readToldDir(dir)
		edit(book)
		if err = writeToldDir(dir, before, book); !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return err
}

// writeToldDir makes the folder say what book does. The error is fs.ErrExist when another process was faster.
func writeToldDir(dir string, before, book forge.Book) error {
	for key, t := range book {
		was, known := before[key]
		if known && was == t {
			continue
		}
		b, err := json.Marshal(t)
		if err != nil {
			return err
		}
		if err := writeTold(dir, key, b, known); err != nil {
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

// writeTold puts a whole file in its place: instead of the one that is there, or where there is none.
func writeTold(dir, key string, content []byte, replace bool) error {
	if replace {
		return atomicfile.Write(toldFile(dir, key), content, 0o600)
	}
	return atomicfile.Add(toldFile(dir, key), content, 0o600)
}
