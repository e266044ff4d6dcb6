package kubelet

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"

	"kiban.dev/kiban/lab/controlplane"
)

// dialAny stands in for k0s's node-local load balancing: it connects to whichever API server answers.
func dialAny(cluster *controlplane.Cluster) func(ctx context.Context, network, _ string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		dialer := net.Dialer{Timeout: time.Second}
		errs := []error{errors.New("no API server can be reached")}
		for _, server := range cluster.Servers() {
			conn, err := dialer.DialContext(ctx, network, server)
			if err == nil {
				return conn, nil
			}
			errs = append(errs, err)
		}
		return nil, errors.Join(errs...)
	}
}

// apiServerName is in every API server's certificate, whatever its address.
const apiServerName = "kubernetes"

// brief is a client for a few requests, with connections of its own. It must be closed: client-go would keep every one for ever.
func brief(cfg *rest.Config, cluster *controlplane.Cluster) (client kubernetes.Interface, closeIdle func(), err error) {
	cfg = rest.CopyConfig(cfg)
	cfg.TLSClientConfig.ServerName = apiServerName
	tls, err := rest.TLSConfigFor(cfg)
	if err != nil {
		return nil, nil, err
	}
	wire := &http.Transport{TLSClientConfig: tls, DialContext: dialAny(cluster)}
	var rt http.RoundTripper = wire
	if cfg.BearerToken != "" {
		rt = transport.NewBearerAuthRoundTripper(cfg.BearerToken, wire)
	}
	client, err = kubernetes.NewForConfigAndClient(cfg, &http.Client{Transport: rt})
	return client, wire.CloseIdleConnections, err
}
