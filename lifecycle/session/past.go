package session

import (
	"context"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/journal"
)

// pastLimit bounds the wait for what is remembered of a site.
const pastLimit = 20 * time.Second

// remember gives what is remembered of a site, as far as it matters to what was seen: where there is no cluster or its API does not
// answer, its backups and the runs that have their journals here; where versions are to change or a controller is away, what the cluster
// keeps of its runs, and of an upgrade that is under way, or that wants a proven backup and knows of none, its backups. What can't be
// asked is said.
func (s *Session) remember(ctx context.Context, seen lifecycle.State) lifecycle.Past {
	var past lifecycle.Past
	if s.site.Provider == lifecycle.ProviderExternal {
		return past
	}
	away := seen.API.NotYet || seen.API.Unknown != ""
	changing, underWay := versionsChange(s.site, seen)
	ctx, cancel := lifecycle.Within(ctx, pastLimit, "no answer")
	defer cancel()
	unproven := changing && s.site.Backup.Unproven(seen.API.Proven, seen.ObservedAt) != "" // the proof may lie beside the backup alone
	if away || underWay || unproven {
		kept, ds := s.Backups(ctx)
		past.Backups = kept
		for _, d := range ds {
			past.Unread = append(past.Unread, d.Error())
		}
	}
	if pinMatters(s.site, seen) && !away && s.parts.Pins != nil {
		past.Pinned = answer(s.parts.Pins.Pinned(ctx))
	}
	if away || changing || controllerAway(s.site, seen) || settingsChange(s.site, seen) {
		past.Runs = s.pastRuns(ctx, !away)
	}
	return past
}

// pinMatters reports whether the control plane may act as its former release, or may be about to.
func pinMatters(site lifecycle.Site, seen lifecycle.State) bool {
	return site.Policy.ControlPlane.On() || slices.ContainsFunc(seen.Hosts, func(h lifecycle.HostState) bool {
		return lifecycle.Emulated(h.Config) != ""
	})
}

// pastRuns are the runs of the journals here, and those that the cluster keeps.
func (s *Session) pastRuns(ctx context.Context, cluster bool) []lifecycle.RunRecord {
	here, _, err := journal.Records(RunsDir(s.opts.Fleet), s.site.Name)
	if err != nil {
		s.opts.Log.Debug("the journals here can't be read", "site", s.site.Name, "error", err)
	}
	var kept []lifecycle.RunRecord
	if cluster && s.parts.Records != nil {
		if kept, err = s.recordsNow(ctx); err != nil {
			s.opts.Log.Debug("the records of past runs could not be read", "site", s.site.Name, "error", err)
		}
	}
	return merged(here, kept)
}

// versionsChange reports whether a machine has another version than the declared one, and whether the controllers' upgrade is under way.
func versionsChange(site lifecycle.Site, seen lifecycle.State) (changing, underWay bool) {
	var running []lifecycle.Version
	for _, h := range seen.Hosts {
		v := h.Level()
		if !h.Reached() || v.IsZero() {
			continue
		}
		changing = changing || v != site.Cluster.Version
		if host, ok := site.Cluster.Host(h.Name); ok && host.Role.IsController() {
			underWay = underWay || !h.Former.IsZero()
			if !slices.Contains(running, v) {
				running = append(running, v)
			}
		}
	}
	return changing, underWay || len(running) > 1
}

// controllerAway reports whether a controller told nothing, or its API server does not answer.
func controllerAway(site lifecycle.Site, seen lifecycle.State) bool {
	return slices.ContainsFunc(site.Cluster.Controllers(), func(h lifecycle.Host) bool {
		st, ok := seen.Host(h.Name)
		return ok && (!st.Reached() || silentController(st, seen.API))
	})
}

// settingsChange reports whether a machine's k0s runs with something else than what is declared, as far as that is told at a glance.
func settingsChange(site lifecycle.Site, seen lifecycle.State) bool {
	return slices.ContainsFunc(site.Cluster.Hosts, func(h lifecycle.Host) bool {
		st, ok := seen.Host(h.Name)
		if !ok || !st.Reached() || !st.Installed() {
			return false
		}
		return h.ConfigDigest != "" && h.ConfigDigest != st.ConfigDigest || !slices.Equal(h.Arguments, st.Arguments) ||
			h.Environment != "" && h.Environment != st.Environment || len(h.At(st.Level()).FileChanges(st)) > 0
	})
}

// backupBefore is the newest backup that leads back to before a version, of those that can be asked for now.
func (s *Session) backupBefore(ctx context.Context, v lifecycle.Version) (lifecycle.KeptBackup, bool) {
	ctx, cancel := lifecycle.Within(ctx, pastLimit, "no answer")
	defer cancel()
	kept, _ := s.Backups(ctx)
	return lifecycle.Past{Backups: kept}.BackupBefore(v)
}
