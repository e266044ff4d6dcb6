package controlplane

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// konnectivityPort is k0s's own default for what the API server dials the cluster's network through.
const konnectivityPort = 8133

// Listening is where the lab's pod with this address listens: the API allows no loopback addresses for pods, and a laptop has no others
// to spare. Other addresses are returned as they are.
func Listening(podIP string) string {
	if rest, ok := strings.CutPrefix(podIP, "10.244."); ok {
		return "127.244." + rest
	}
	return podIP
}

// ListeningAt is where a pod with this address listens when it says that it does on that port. Ports that only root may take are 50000
// higher.
func ListeningAt(podIP string, port int) string {
	if port < 1024 {
		port += 50000
	}
	return net.JoinHostPort(Listening(podIP), strconv.Itoa(port))
}

// serveKonnectivity stands in for k0s's konnectivity server and its agents: what the API server sends to pods, such as admission requests
// to webhooks, it sends through this proxy (HTTP CONNECT).
func (c *Controller) serveKonnectivity() (stop func(), err error) {
	p, err := c.pair("konnectivity")
	if err != nil {
		return nil, err
	}
	cert, err := tls.X509KeyPair(p.cert, p.key)
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(c.pki("ca.crt"))
	if err != nil {
		return nil, err
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(ca)
	l, err := tls.Listen("tcp", c.konnectivityAddr(), &tls.Config{
		Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(tunnel), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }() // ends by Close, with an error that says so
	return func() { _ = server.Close() }, write(c.konnectivityConf(), []byte(c.egressSelection()))
}

func (c *Controller) konnectivityAddr() string { return fmt.Sprintf("%s:%d", c.Addr, konnectivityPort) }

// egressSelection is the file that tells the API server of the proxy.
func (c *Controller) egressSelection() string {
	return fmt.Sprintf(`apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport:
      tcp:
        url: https://%s
        tlsConfig:
          caBundle: %q
          clientCert: %q
          clientKey: %q
`, c.konnectivityAddr(), c.pki("ca.crt"), c.pki("konnectivity.crt"), c.pki("konnectivity.key"))
}

// tunnel connects its client with a pod.
func tunnel(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
		return
	}
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer client.Close()
	pod, err := dialPod(r.Host)
	if err != nil {
		fmt.Fprintf(client, "HTTP/1.1 503 %s\r\n\r\n", err)
		return
	}
	defer pod.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(pod, buffered) // either end may close at any time
		_ = pod.Close()
	}()
	_, _ = io.Copy(client, pod)
}

// dialPod connects to a pod's port. Only pods can be reached, those on the network of their machine among them; the error is the one that a
// node of theirs would have, on one line.
func dialPod(address string) (net.Conn, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	if machine := strings.HasPrefix(host, "127.") && !strings.HasPrefix(host, "127.0."); Listening(host) == host && !machine {
		return nil, fmt.Errorf("dial tcp %s: connect: no route to host", address)
	}
	conn, err := net.DialTimeout("tcp", ListeningAt(host, port), 5*time.Second)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return nil, fmt.Errorf("dial tcp %s: connect: %w", address, errno)
	}
	return conn, err
}

func (c *Controller) konnectivityConf() string { return filepath.Join(c.DataDir, "konnectivity.conf") }
