package session

import (
	"context"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
	"kiban.dev/kiban/lifecycle/supply"
)

// Options are a session's choices. The zero Options serve a program that runs in the fleet's folder and has nobody to ask.
type Options struct {
	// Fleet is the folder of the repository. Its .kiban holds what kiban fetched, backups, and the journals of runs. "": the working
	// directory.
	Fleet string
	// Who runs this and Where, for the site's lock and the records of runs. Both "": the user, and the machine's name.
	Who, Where string
	// LockTimeout is how long another run's lock is waited for; 0 not at all.
	LockTimeout time.Duration
	// Getenv finds the secrets that a site's documents take from the environment. Nil: none are there.
	Getenv func(string) string
	// InJob says that this runs in a pipeline's job, whose files are gone when it has ended.
	InJob bool
	// Glance says that addons are only waited for: what applying them would change is not asked.
	Glance bool
	// Bundle is where binaries, charts and manifests come from instead of the network; nil: the network.
	Bundle *supply.Bundle
	// Restore is the backup that Session.Restore rebuilds the control plane from.
	Restore *backup.Source
	// Log is told what is said to machines and to the API. Nil: nobody is.
	Log *slog.Logger
	// Hooks show things to people and ask them.
	Hooks Hooks
}

// Session is one site, opened. Close it when it is no longer needed.
type Session struct {
	site  lifecycle.Site
	opts  Options
	parts Parts

	mu   sync.Mutex
	seen lifecycle.State // what was observed last
	// records are the cluster's of past runs, where they were read since then.
	records     []lifecycle.RunRecord
	recordsRead bool
	// heard is what witnesses told last of what a version would break.
	heard heard
}

// Open makes ready to talk to a site's machines and its API. Nothing is dialled yet.
func Open(site lifecycle.Site, opts Options) (*Session, error) {
	opts = opts.filled()
	w, err := openWorld(site, opts)
	if err != nil {
		return nil, err
	}
	return With(site, opts, Parts{Site: w, Lock: w.locks(), Runner: w, Records: w, Workloads: w, Pins: w, Backups: w, Logs: w.machines.logs,
		Missing: w.machines.missing, Witnesses: w, Everything: w.api.Everything, Inventories: w.api.Inventories}), nil
}

// With is Open on other parts than the real ones.
func With(site lifecycle.Site, opts Options, parts Parts) *Session {
	parts.Plans = parts.Plans.filled()
	return &Session{site: site, opts: opts.filled(), parts: parts}
}

func (o Options) filled() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Who == "" && o.Where == "" {
		if u, err := user.Current(); err == nil { // not knowing it is no reason to do nothing
			o.Who = u.Username
		}
		o.Where, _ = os.Hostname()
	}
	return o
}

// StateDir is where kiban keeps its own files, beside the fleet it runs in.
func StateDir(fleet string) string { return filepath.Join(fleet, ".kiban") }

// CacheDir is where it keeps what it fetched: charts, manifests, binaries and unpacked bundles.
func CacheDir(fleet string) string { return filepath.Join(StateDir(fleet), "cache") }

// RunsDir is where it keeps the journals of runs, a folder a site.
func RunsDir(fleet string) string { return filepath.Join(StateDir(fleet), "runs") }

// ToldDir is where it is remembered what was told of a site whose cluster can't: a file a message.
func ToldDir(fleet, site string) string { return filepath.Join(StateDir(fleet), "told", site) }

// Site is the site that the session was opened for.
func (s *Session) Site() lifecycle.Site { return s.site }

// Observe learns what is there and changes nothing.
func (s *Session) Observe(ctx context.Context) (lifecycle.State, error) {
	s.mu.Lock()
	s.records, s.recordsRead = nil, false
	s.mu.Unlock()
	state, err := s.parts.Site.Observe(ctx)
	if err == nil {
		s.listen(ctx, &state)
		state.Past = s.remember(ctx, state)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = state
	return state, err
}

// LastLog gives the last lines of the log of a host's k0s service, oldest first, without secrets.
func (s *Session) LastLog(ctx context.Context, host string, lines int) ([]string, error) {
	return s.parts.Logs.LastLog(ctx, host, lines)
}

// lastSeen is what was observed last.
func (s *Session) lastSeen() lifecycle.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// Close ends what was dialled.
func (s *Session) Close() error { return s.parts.Site.Close() }
