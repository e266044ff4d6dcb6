package fleet

import (
	"context"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/calendar"
)

// Reckoning reckons for one site of a fleet after another by when it must begin to leave the version that it runs. Sites that others wait
// for are read once, however many do. It may be asked by several at once.
type Reckoning struct {
	fleet string
	read  func(name string) (lifecycle.Site, bool)

	mu    sync.Mutex
	known map[string]func() (lifecycle.Site, bool)
}

// Reckon makes a Reckoning for a fleet as it is declared now. A site that can't be read counts by its name alone.
func (s Source) Reckon(ctx context.Context, fleet string) *Reckoning {
	return &Reckoning{fleet: fleet, known: map[string]func() (lifecycle.Site, bool){}, read: func(name string) (lifecycle.Site, bool) {
		site, ds := s.Load(ctx, fleet, name, "")
		return site, len(Errors(ds)) == 0
	}}
}

// Due is the date of a site that runs a version at least, with those that it waits for; false where it is not known. record are its runs,
// newest first, by which an upgrade of it is taken to last.
func (r *Reckoning) Due(
	site lifecycle.Site, runs lifecycle.Version, record []lifecycle.RunRecord, now time.Time,
) (calendar.Entry, bool) {
	took := calendar.Took(record, len(site.Cluster.Hosts))
	return one(r.withFroms(site), r.fleet, runs, took, now)
}

// withFroms are a site and those that it waits for, those that these wait for, and so on; each once.
func (r *Reckoning) withFroms(site lifecycle.Site) []lifecycle.Site {
	out, seen := []lifecycle.Site{site}, map[string]bool{site.Name: true}
	for i := 0; i < len(out); i++ {
		for _, name := range out[i].Promotion.From {
			if seen[name] {
				continue
			}
			seen[name] = true
			if from, ok := r.site(name); ok {
				out = append(out, from)
			}
		}
	}
	return out
}

func (r *Reckoning) site(name string) (lifecycle.Site, bool) {
	r.mu.Lock()
	read, asked := r.known[name]
	if !asked {
		read = sync.OnceValues(func() (lifecycle.Site, bool) { return r.read(name) })
		r.known[name] = read
	}
	r.mu.Unlock()
	return read()
}
