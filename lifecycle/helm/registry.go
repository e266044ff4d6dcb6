package helm

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/registry"

	"kiban.dev/kiban/lifecycle"
)

// registry fetches a chart from an OCI registry; ref is its whole name, "oci://ghcr.io/metallb/metallb". A registry on this machine is
// spoken to without TLS, as Docker does.
func (s *Store) registry(ctx context.Context, ref, version string) ([]byte, error) {
	u, err := url.Parse(ref)
	if err != nil {
		return nil, err
	}
	// The SDK's calls take no context: the transport ends them.
	opts := []registry.ClientOption{registry.ClientOptHTTPClient(&http.Client{Transport: bound{ctx: ctx, next: s.web.client.Transport},
		Timeout: attemptTimeout, CheckRedirect: led})}
	if loopback(u.Hostname()) {
		opts = append(opts, registry.ClientOptPlainHTTP())
	}
	client, err := registry.NewClient(opts...)
	if err != nil {
		return nil, err
	}
	name := strings.TrimPrefix(ref, "oci://")
	content, err := s.pull(ctx, client, name+":"+version)
	if err == nil {
		return content, nil
	}
	c := lifecycle.Chart{Repo: ref, Name: u.Path[strings.LastIndex(u.Path, "/")+1:], Version: version}
	text := err.Error()
	if tags, listErr := client.Tags(name); listErr == nil && strings.Contains(text, "not found") {
		d := noVersion(c, tags)
		d.Cause = err
		return nil, d
	}
	d := lifecycle.Errorf(ref, "the registry does not give the chart").
		Because(text).
		Try("Check repo, name and version of the addon's chart, the network and the proxy settings").
		About("spec.chart.version").
		Hiding(err)
	if strings.Contains(text, "401") || strings.Contains(text, "403") || strings.Contains(text, "denied") ||
		strings.Contains(text, "credential") {
		d.Hint = "Log in to the registry with helm registry login or docker login; registries say the same of charts that do not exist"
	}
	return nil, d
}

// pull asks a registry for an archive, and again when the failure may pass.
func (s *Store) pull(ctx context.Context, client *registry.Client, ref string) ([]byte, error) {
	pause := s.web.pause
	for n := 1; ; n++ {
		got, err := client.Pull(ref)
		if err == nil {
			return got.Chart.Data, nil
		}
		if n == attempts || ctx.Err() != nil || !brief(err.Error()) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, lifecycle.WhyEnded(ctx)
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// brief reports whether what a registry said may be otherwise in a moment.
func brief(text string) bool {
	for _, s := range []string{"response status code 5", "response status code 429", "connection reset", "connection refused", "EOF",
		"timeout", "TLS handshake"} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
