package kube

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"k8s.io/klog/v2"
)

// libraries is where client-go logs to. It is package-level because klog's logger is: there is one in a process.
var libraries libraryLog

// libraryLog sends what Kubernetes' libraries log of themselves to kiban's own log, as a word for whoever debugs. They would write it to
// stderr, in a form of their own, between what people read; what counts of it comes back as an error anyway.
type libraryLog struct {
	once sync.Once
	to   atomic.Pointer[slog.Logger]
}

// listen has the libraries log there from now on. klog takes its logger once, before anything logs; which log is behind it may change.
func (l *libraryLog) listen(log *slog.Logger) {
	l.to.Store(log)
	l.once.Do(func() { klog.SetSlogLogger(slog.New(demoted{at: l})) })
}

// demoted is a log of which every line is one at debug level. What a library would say only with -v is left out.
type demoted struct {
	at   *libraryLog
	more []func(slog.Handler) slog.Handler
}

func (d demoted) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo && d.at.to.Load().Enabled(ctx, slog.LevelDebug)
}

func (d demoted) Handle(ctx context.Context, r slog.Record) error {
	if !d.Enabled(ctx, r.Level) { // klog does not ask before it logs an error
		return nil
	}
	h := d.at.to.Load().Handler()
	for _, with := range d.more {
		h = with(h)
	}
	r.Level = slog.LevelDebug
	return h.Handle(ctx, r)
}

func (d demoted) WithAttrs(attrs []slog.Attr) slog.Handler {
	return d.with(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

func (d demoted) WithGroup(name string) slog.Handler {
	return d.with(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (d demoted) with(more func(slog.Handler) slog.Handler) slog.Handler {
	d.more = append(d.more[:len(d.more):len(d.more)], more)
	return d
}
