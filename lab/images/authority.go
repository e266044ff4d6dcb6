package images

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
)

// AnnotationWebhook names, with commas between them, the webhook configurations, validating or mutating, and the definitions with a
// conversion webhook, that the pod stands behind: it answers on its declared TCP ports, allows everything, converts objects by their
// version alone, and writes the lab's authority into those that are named.
const AnnotationWebhook = "lab.kiban.dev/webhook"

// Webhooks are the names in the pod's annotation.
func Webhooks(pod *corev1.Pod) []string {
	var names []string
	for name := range strings.SplitSeq(pod.Annotations[AnnotationWebhook], ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// Authority makes certificates for whatever name a client asks for: for webhooks of pods of which only their clients know what they are
// called.
type Authority struct {
	ca *issuer

	mu    sync.Mutex
	certs map[string]*tls.Certificate
}

// NewAuthority makes an authority. Its key stays in memory.
func NewAuthority() (*Authority, error) {
	ca, err := newIssuer("kiban-lab-webhooks")
	return &Authority{ca: ca, certs: map[string]*tls.Certificate{}}, err
}

// certificate is the one for the name that a client asks for.
func (a *Authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.certs[hello.ServerName]; c != nil {
		return c, nil
	}
	cert, key, err := a.ca.issue(hello.ServerName)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	a.certs[hello.ServerName] = &pair
	return &pair, nil
}

// Listener lets who speaks TLS in with a certificate of the authority, and others as they are.
func (a *Authority) Listener(l net.Listener) net.Listener {
	return newEither(l, &tls.Config{GetCertificate: a.certificate, MinVersion: tls.VersionTLS12})
}

// Allow answers admission and conversion reviews, as the webhook of a pod that says yes to everything; it is for clients that speak TLS.
func Allow() http.Handler {
	yes := admit(func(*admissionv1.AdmissionRequest) error { return nil })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 32<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		var kind metav1.TypeMeta
		if json.Unmarshal(body, &kind) == nil && kind.Kind == "ConversionReview" {
			convert(w, r)
			return
		}
		yes(w, r)
	})
}

// authorityProgram keeps the lab's authority in what the pod's annotation names. One that is not there yet gets it when it comes.
func authorityProgram(names []string) Program {
	return func(ctx context.Context, e Env) {
		definitions, err := dynamic.NewForConfig(e.Config)
		if err != nil {
			e.Log.Warn("no client", "pod", e.Pod.Name, "error", err)
			return
		}
		write := func() error {
			for _, name := range names {
				if err := writeEverywhere(ctx, e, definitions, name); err != nil {
					return err
				}
			}
			return nil
		}
		if insist(ctx, e, "write the authority", write) {
			keepBundle(ctx, e, write)
		}
	}
}

// writeEverywhere writes the authority into whatever has that name and calls webhooks.
func writeEverywhere(ctx context.Context, e Env, definitions dynamic.Interface, name string) error {
	const by = "kiban-lab"
	ca := e.Authority.ca.pem
	if err := absent(writeBundle(ctx, e, name, by, ca)); err != nil {
		return err
	}
	if err := absent(writeMutatingBundle(ctx, e, name, by, ca)); err != nil {
		return err
	}
	return absent(writeConversionBundle(ctx, definitions, name, by, ca))
}

// either listens for both: the first byte of a connection says which it is. Each is looked at aside, so that one that says nothing holds up
// no other.
type either struct {
	net.Listener
	config *tls.Config
	ready  chan net.Conn
	failed chan error
}

func newEither(l net.Listener, config *tls.Config) *either {
	e := &either{Listener: l, config: config, ready: make(chan net.Conn), failed: make(chan error)}
	go e.listen()
	return e
}

func (e *either) listen() {
	defer close(e.failed)
	for {
		c, err := e.Listener.Accept()
		if err != nil {
			return
		}
		go e.look(c)
	}
}

// look hands a connection over once it has said a first byte; one that says none in time is closed.
func (e *either) look(c net.Conn) {
	first := make([]byte, 1)
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second)) // a connection that can't is closed below
	if _, err := io.ReadFull(c, first); err != nil {
		c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	var whole net.Conn = &begun{Conn: c, first: first}
	if first[0] == 0x16 { // a TLS handshake record (RFC 8446, 5.1)
		whole = tls.Server(whole, e.config)
	}
	select {
	case e.ready <- whole:
	case <-e.failed:
		c.Close()
	}
}

func (e *either) Accept() (net.Conn, error) {
	select {
	case c := <-e.ready:
		return c, nil
	case <-e.failed:
		return nil, net.ErrClosed
	}
}

// begun is a connection of which the first bytes have been read already.
type begun struct {
	net.Conn
	first []byte
}

func (b *begun) Read(p []byte) (int, error) {
	if len(b.first) > 0 {
		n := copy(p, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	return b.Conn.Read(p)
}
