package kube

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// silence is an API that could not be asked, in words for people; the cause is kept for errors.Is and errors.As.
type silence struct {
	text  string
	cause error
}

func (s silence) Error() string { return s.text }
func (s silence) Unwrap() error { return s.cause }

// notAsked says why the API could not be asked. Where it was not answered at all, whose question that was says nothing: what counts is
// which API servers are silent, and how.
func notAsked(err error, servers []lifecycle.APIServer) error {
	request, ok := errors.AsType[*url.Error](err)
	if !ok {
		return fmt.Errorf("Kubernetes API: %w", err)
	}
	var names, whys []string
	for _, s := range servers {
		if !s.Ready {
			names, whys = append(names, s.Host), append(whys, inner(s.Why))
		}
	}
	if len(names) > 0 && len(names) == len(servers) {
		return silence{"no API server is ready: " + strings.Join(lifecycle.Once(names, whys), "; "), err}
	}
	at := request.URL
	if u, err := url.Parse(request.URL); err == nil && u.Host != "" {
		at = u.Host
	}
	return silence{fmt.Sprintf("no answer from %s: %s", at, inner(request.Err.Error())), err}
}

// inner is an error of net/http without the package's name.
func inner(why string) string { return strings.TrimPrefix(why, "net/http: ") }
