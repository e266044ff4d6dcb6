package posix

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"
)

// curl fetches http, https and file URLs for real, the last from the machine's own disk. Of several, each is fetched with the same options.
func curl(ctx context.Context, c *Call) int {
	o, err := c.parse("s", "S", "L", "f", "k", "I", "o:", "w:", "H:", "X:", "m:", "O", "d:", "E:", "fail", "silent", "insecure", "location",
		"show-error", "connect-timeout=", "max-time=", "retry=", "output=", "head", "noproxy=", "cacert=", "cert=", "key=", "data=")
	if err == nil && len(o.args) == 0 {
		err = errors.New("(2) no URL specified")
	}
	if err != nil {
		fmt.Fprintf(c.Err, "curl: %v\ncurl: try 'curl --help' for more information\n", err)
		return 2
	}
	status := 0
	for _, at := range o.args {
		status = curlOne(ctx, c, o, at)
	}
	return status
}

func curlOne(ctx context.Context, c *Call, o options, at string) int {
	complain := func(status int, format string, a ...any) int {
		if !o.has("s", "silent") || o.has("S", "show-error") {
			fmt.Fprintf(c.Err, "curl: (%d) %s\n", status, fmt.Sprintf(format, a...))
		}
		return status
	}
	u, err := url.Parse(at)
	if err != nil {
		return complain(3, "URL rejected: %v", err)
	}
	var body io.ReadCloser
	code := 0
	switch u.Scheme {
	case "file":
		f, err := c.Files.Open(u.Path, os.O_RDONLY, 0)
		if err != nil {
			return complain(37, "Couldn't open file %s", u.Path)
		}
		body = f
	case "http", "https":
		resp, err := c.fetch(ctx, o, u)
		if err != nil {
			if o.has("w") {
				fmt.Fprint(c.Out, written(o.value("w"), 0))
			}
			return complain(7, "Failed to connect to %s: %v", u.Host, err)
		}
		body, code = resp.Body, resp.StatusCode
	default:
		return complain(1, "Protocol \"%s\" not supported", u.Scheme)
	}
	defer body.Close()
	if o.has("f", "fail") && code >= 400 {
		return complain(22, "The requested URL returned error: %d", code)
	}
	var out io.Writer = c.Out
	target := o.value("o", "output")
	if o.has("O") {
		target = path.Base(u.Path)
	}
	if p := target; p != "" {
		f, err := c.Files.Open(p, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if err != nil {
			return complain(23, "Failure writing output to destination: %s", reason(err))
		}
		defer f.Close()
		out = f
	}
	if !o.has("I", "head") {
		if _, err := io.Copy(out, body); err != nil {
			return complain(23, "Failure writing output to destination: %s", reason(unwrap(err)))
		}
	} else if target == "" {
		fmt.Fprintf(out, "HTTP/1.1 %d %s\r\n\r\n", code, http.StatusText(code))
	}
	if o.has("w") {
		fmt.Fprint(c.Out, written(o.value("w"), code))
	}
	return 0
}

// written is what -w says.
func written(format string, code int) string {
	return strings.NewReplacer("%{http_code}", fmt.Sprintf("%03d", code), `\n`, "\n", `\t`, "\t", `\r`, "\r").Replace(format)
}

func (c *Call) fetch(ctx context.Context, o options, u *url.URL) (*http.Response, error) {
	connect := 20 * time.Second
	if o.has("connect-timeout") {
		if d, err := span(o.value("connect-timeout")); err == nil {
			connect = d
		}
	}
	if o.has("m", "max-time") {
		if d, err := span(o.value("m", "max-time")); err == nil {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, d)
			context.AfterFunc(ctx, cancel)
		}
	}
	secure, err := c.secured(o)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: connect}
	tr := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, c.System.own(addr))
		},
		TLSClientConfig:   secure,
		DisableKeepAlives: true,
	}
	client := &http.Client{Transport: tr}
	if !o.has("L", "location") {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	method := http.MethodGet
	if o.has("I", "head") {
		method = http.MethodHead
	}
	var send io.Reader
	if o.has("d", "data") {
		method, send = http.MethodPost, strings.NewReader(o.value("d", "data"))
	}
	if o.has("X") {
		method = o.value("X")
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), send)
	if err != nil {
		return nil, err
	}
	if send != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range o.set["H"] {
		k, v, _ := strings.Cut(h, ":")
		req.Header.Set(strings.TrimSpace(k), strings.TrimSpace(v))
	}
	return client.Do(req)
}

// secured is what the options say of TLS: authorities and a client's certificate are read from the machine's disk.
func (c *Call) secured(o options) (*tls.Config, error) {
	cfg := &tls.Config{InsecureSkipVerify: o.has("k", "insecure")} //nolint:gosec // what -k asks for
	if o.has("cacert") {
		authorities, err := c.Files.ReadFile(o.value("cacert"))
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(authorities) {
			return nil, fmt.Errorf("error adding trust anchors from file: %s", o.value("cacert"))
		}
	}
	if o.has("E", "cert") {
		cert, err := c.Files.ReadFile(o.value("E", "cert"))
		if err != nil {
			return nil, err
		}
		key, err := c.Files.ReadFile(o.value("key"))
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, err
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// own is where a connection of this machine goes: its own loopback address is where its own services listen.
func (s *System) own(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && s.Address != "" && (host == "127.0.0.1" || host == "localhost") {
		return net.JoinHostPort(s.Address, port)
	}
	return addr
}
