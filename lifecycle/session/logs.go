package session

import (
	"context"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

const (
	// logsLimit bounds the wait for the logs of controllers that are not well.
	logsLimit = 15 * time.Second
	// logsRead is how many lines of each are read: of a k0s that starts again and again, a few starts.
	logsRead = 200
)

// listen adds what the k0s of each controller said last that is not well: where the API does not answer, of all of them. One that
// can't be had says why.
func (s *Session) listen(ctx context.Context, seen *lifecycle.State) {
	if s.parts.Logs == nil || s.site.Provider == lifecycle.ProviderExternal {
		return
	}
	ctx, cancel := lifecycle.Within(ctx, logsLimit, "no answer")
	defer cancel()
	var wg sync.WaitGroup
	for i := range seen.Hosts {
		h := &seen.Hosts[i]
		if host, ok := s.site.Cluster.Host(h.Name); !ok || !host.Role.IsController() || !silentController(*h, seen.API) {
			continue
		}
		wg.Go(func() {
			lines, err := s.parts.Logs.LastLog(ctx, h.Name, logsRead)
			if err != nil {
				h.Log.Unknown = err.Error()
				return
			}
			h.Log.Value = append([]string{}, lifecycle.LastWords(lines)...)
		})
	}
	wg.Wait()
}

// silentController reports whether a controller answers, has k0s, and its API server does not.
func silentController(h lifecycle.HostState, api lifecycle.APIState) bool {
	if !h.Reached() || !h.Installed() {
		return false
	}
	for _, server := range api.Servers {
		if server.Host == h.Name && server.Ready {
			return false
		}
	}
	return true
}
