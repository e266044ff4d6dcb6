package controlplane

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// joinRequest is what a new controller sends with its token to another one's join API.
type joinRequest struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// joinResponse is all it needs to be one of them.
type joinResponse struct {
	Files          map[string][]byte `json:"files"`
	InitialCluster string            `json:"initialCluster"`
}

// errRefused marks an answer that asking again cannot change.
var errRefused = errors.New("refused")

// serveJoin answers joining controllers until stop is called.
func (c *Controller) serveJoin(client kubernetes.Interface) (stop func(), err error) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1beta1/join", func(w http.ResponseWriter, r *http.Request) { c.admit(w, r, client) })
	mux.HandleFunc("GET /v1beta1/ca", func(w http.ResponseWriter, r *http.Request) {
		if code, err := c.authorize(r, client); err != nil {
			http.Error(w, err.Error(), code)
		}
	})
	p, err := c.pair("k0s-api")
	if err != nil {
		return nil, err
	}
	cert, err := tls.X509KeyPair(p.cert, p.key)
	if err != nil {
		return nil, err
	}
	l, err := tls.Listen("tcp", fmt.Sprintf("%s:%d", c.Addr, c.Config.joinPort()),
		&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }() // ends by Close, with an error that says so
	return func() { _ = server.Close() }, nil
}

func (c *Controller) admit(w http.ResponseWriter, r *http.Request, client kubernetes.Interface) {
	if code, err := c.authorize(r, client); err != nil {
		http.Error(w, err.Error(), code)
		return
	}
	var request joinRequest
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	files, err := c.shared()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	cluster, err := c.etcdAdmit(ctx, request.Name, request.Address)
	if err != nil { // etcd refuses a member while another one is not up yet; the caller asks again
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_ = json.NewEncoder(w).Encode(joinResponse{Files: files, InitialCluster: cluster})
}

// authorize checks the bearer token against its Secret, as it is now.
func (c *Controller) authorize(r *http.Request, client kubernetes.Interface) (code int, err error) {
	id, secret, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	if id == "" || secret == "" {
		return http.StatusUnauthorized, errors.New("a bootstrap token is needed")
	}
	s, err := client.CoreV1().Secrets(metav1.NamespaceSystem).Get(r.Context(), "bootstrap-token-"+id, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return http.StatusUnauthorized, errors.New("the token is not known")
	}
	if err != nil {
		return http.StatusServiceUnavailable, err
	}
	if err := admits(s, secret, time.Now()); err != nil {
		return http.StatusUnauthorized, err
	}
	return 0, nil
}

// join makes this controller a member of the cluster that its token is for, and returns etcd's --initial-cluster. It asks until it is
// answered, refused, or ctx ends.
func (c *Controller) join(ctx context.Context) (initialCluster string, err error) {
	token, err := ParseToken(c.JoinToken)
	if err != nil {
		return "", err
	}
	if token.Role != "controller" {
		return "", fmt.Errorf("the join token is for a %s, not for a controller", token.Role)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(token.CA) {
		return "", errors.New("the join token holds no certificate authority")
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true,
	}}
	for {
		response, err := c.askToJoin(ctx, client, token)
		if err == nil {
			return response.InitialCluster, errors.Join(write(c.joinedFile(), []byte(response.InitialCluster)), c.adopt(response.Files))
		}
		if errors.Is(err, errRefused) {
			return "", err
		}
		c.logger().Warn("cannot join yet", "server", token.Server, "error", err)
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (c *Controller) askToJoin(ctx context.Context, client *http.Client, token Token) (joinResponse, error) {
	body, err := json.Marshal(joinRequest{Name: c.Name, Address: c.Addr})
	if err != nil {
		return joinResponse{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, token.Server+"/v1beta1/join", bytes.NewReader(body))
	if err != nil {
		return joinResponse{}, err
	}
	request.Header.Set("Authorization", "Bearer "+token.Bearer())
	answer, err := client.Do(request)
	if err != nil {
		return joinResponse{}, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return joinResponse{}, err
	}
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusBadRequest:
		return joinResponse{}, fmt.Errorf("join %s: %w: %s", token.Server, errRefused, bytes.TrimSpace(data))
	default:
		return joinResponse{}, fmt.Errorf("join %s: %s: %s", token.Server, answer.Status, bytes.TrimSpace(data))
	}
	var response joinResponse
	return response, json.Unmarshal(data, &response)
}
