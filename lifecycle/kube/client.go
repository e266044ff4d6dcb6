package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"kiban.dev/kiban/lifecycle"
)

// certificateName is a name that the certificate of every k0s controller carries, beside its own addresses. Checking for it
// lets one client verify each of them, however it is dialled.
const certificateName = "kubernetes"

// callTimeout bounds one request to the API, failover included.
const callTimeout = 30 * time.Second

// Server is one controller's API server.
type Server struct {
	// Host is the controller's name, Address where its API server listens: "10.0.0.11:6443".
	Host    string
	Address string
}

// Options are a Client's choices.
type Options struct {
	// Endpoint is where direct connections go instead of to the controllers themselves: "https://api.tokyo.example:6443". Its
	// certificate must carry that name. Servers are still asked by their own addresses. Not used together with Dial.
	Endpoint string
	// Dial opens connections to a controller's API server in place of the network, for example through its SSH.
	Dial func(ctx context.Context, host, network, addr string) (net.Conn, error)
	// Context is the external kubeconfig's context to use in place of its current one.
	Context string
	// Plugins are the programs that an external kubeconfig may run for a login, by name or absolute path. None: it may run none.
	Plugins []string
	Log     *slog.Logger
}

// Source gives an administrator's credentials. Zero: there is no API yet.
type Source func(ctx context.Context) (lifecycle.Credentials, error)

// Client is a way to one cluster. It connects when it is first used, because a plan that sets a cluster up begins before there is an API.
// It may be used by several goroutines.
type Client struct {
	source Source
	at     []Server
	opts   Options
	// pause is how long a call waits before it repeats a write that another writer got ahead of.
	pause time.Duration
	log   *slog.Logger
	link  link

	// What follows is there once the client is connected, and stays as it is.
	api     kubernetes.Interface
	objects dynamic.Interface
	kinds   kinds
	own     own
	config  *rest.Config
	servers []*backend

	nodes   shared[[]lifecycle.NodeState]
	budgets shared[[]lifecycle.Budget]
	owners  owners
}

// New makes a client of where credentials are to be had, and the addresses of the API servers. Without servers the kubeconfig's own server
// is used, which only an external site's has. Nothing is asked or dialled yet.
func New(source Source, servers []Server, opts Options) *Client {
	c := &Client{source: source, at: servers, opts: opts, pause: 200 * time.Millisecond, log: opts.Log, link: newLink(),
		nodes: newShared[[]lifecycle.NodeState](), budgets: newShared[[]lifecycle.Budget]()}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	libraries.listen(c.log)
	return c
}

// build makes the clients out of credentials. With an error there are none.
func (c *Client) build(from lifecycle.Credentials) error {
	cfg, err := c.restConfig(from)
	if err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	servers := c.at
	if len(servers) == 0 {
		own, err := address(cfg.Host)
		if err != nil {
			return fmt.Errorf("kubeconfig: %w", err)
		}
		servers = []Server{{Host: own, Address: own}}
		if cfg.Proxy == nil {
			cfg.Proxy = http.ProxyFromEnvironment // as kubectl does; a site's own machines are reached directly
		}
	} else {
		cfg.ServerName = cmp.Or(cfg.ServerName, certificateName)
	}
	cfg.QPS, cfg.Burst = 200, 400 // the API server has fairness of its own; this only keeps a runaway loop in check
	cfg.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	cfg.UserAgent = lifecycle.Itself
	cfg.WarningHandlerWithContext = warnings{c.opts.Log}

	c.servers = nil
	for _, s := range servers {
		b, err := newBackend(cfg, s, c.opts.Dial)
		if err != nil {
			return err
		}
		c.servers = append(c.servers, b)
	}
	way := c.servers
	if c.opts.Endpoint != "" && c.opts.Dial == nil {
		if way, err = endpoint(cfg, c.opts.Endpoint); err != nil {
			return err
		}
	}
	return c.clients(cfg, &failover{backends: way, log: c.log})
}

// clients builds the clients on top of a transport.
func (c *Client) clients(cfg *rest.Config, transport http.RoundTripper) error {
	wrapped, err := rest.HTTPWrappersForConfig(cfg, transport)
	if err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	client := &http.Client{Transport: wrapped}
	if c.api, err = kubernetes.NewForConfigAndClient(cfg, client); err != nil {
		return fmt.Errorf("Kubernetes client: %w", err)
	}
	c.config = &rest.Config{Host: cfg.Host, Transport: wrapped, UserAgent: cfg.UserAgent, QPS: cfg.QPS, Burst: cfg.Burst,
		WarningHandlerWithContext: cfg.WarningHandlerWithContext}
	if c.objects, err = dynamic.NewForConfigAndClient(c.config, client); err != nil {
		return fmt.Errorf("Kubernetes client: %w", err)
	}
	c.kinds.ask = discovery.ToDiscoveryInterfaceWithContext(c.api.Discovery())
	return nil
}

// RESTConfig is a way to the API for other libraries, Helm's among them. It has the client's fail-over and credentials in its transport,
// and no secret of its own.
func (c *Client) RESTConfig(ctx context.Context) (*rest.Config, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	return rest.CopyConfig(c.config), nil
}

// warnings are what the API says beside its answers, of deprecated kinds for example. They are logged, not printed over what people read.
type warnings struct{ log *slog.Logger }

func (w warnings) HandleWarningHeaderWithContext(ctx context.Context, _ int, _, text string) {
	if w.log != nil && text != "" {
		w.log.DebugContext(ctx, "the API warns", "warning", text)
	}
}

// restConfig is how the API is reached: by what a controller's certificates and key say and the site declares, or by an external site's
// kubeconfig.
func (c *Client) restConfig(from lifecycle.Credentials) (*rest.Config, error) {
	if from.Kubeconfig != nil {
		return externalConfig(from.Kubeconfig, c.opts.Context, c.opts.Plugins)
	}
	if len(c.at) == 0 {
		return nil, errors.New("the site declares no controller to ask")
	}
	return &rest.Config{Host: "https://" + c.at[0].Address, TLSClientConfig: rest.TLSClientConfig{
		CAData: from.Authority, CertData: from.Certificate, KeyData: from.Key, ServerName: certificateName,
	}}, nil
}

// Close gives up the idle connections. The client may still be used; it then dials again.
func (c *Client) Close() {
	if !c.link.up() {
		return
	}
	for _, b := range c.servers {
		b.transport.CloseIdleConnections()
	}
}

// endpoint is the way to the API through one declared address, verified by that address's name.
func endpoint(cfg *rest.Config, raw string) ([]*backend, error) {
	addr, err := address(raw)
	if err != nil {
		return nil, lifecycle.Errorf(raw, "the API endpoint is not a URL").
			Try("Write it as https://api.example.org:6443").
			From(err)
	}
	own := rest.CopyConfig(cfg)
	own.ServerName = "" // the name dialled
	b, err := newBackend(own, Server{Host: addr, Address: addr}, nil)
	return []*backend{b}, err
}

// address is the host and port that an API URL leads to.
func address(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", err
	}
	if u.Hostname() == "" || u.Scheme != "https" {
		return "", errors.New("want https://host[:port]")
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443")), nil
}
