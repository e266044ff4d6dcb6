package lightapi

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

// Options are what a server is told.
type Options struct {
	// File is the database, whose folder is there. Without the file the cluster is a new one.
	File string
	// Address is where it listens, "127.88.0.11:6443".
	Address string
	// TLS has the server's certificate, and the authority whose certificates are let in.
	TLS *tls.Config
	// Version is what Kubernetes calls itself: v1.36.3+k0s.
	Version string
	// Leaders are the leases in kube-system that are always held and just renewed, as if their programs ran.
	Leaders []string
}

// Server is one cluster's API while it serves.
type Server struct {
	opts  Options
	store *store
	http  *http.Server
}

// Serve begins to serve a cluster, one that is new with its first namespaces. Close ends it.
func Serve(o Options) (*Server, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	o.TLS.ClientAuth = tls.VerifyClientCertIfGiven
	l, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, err
	}
	s.http = &http.Server{Handler: s, TLSConfig: o.TLS, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = s.http.ServeTLS(l, "", "") }() // it ends with Close
	return s, nil
}

// Handler answers for a cluster without listening anywhere: Address and TLS are not looked at, and without TLS everybody is let in.
func Handler(o Options) (http.Handler, error) { return newServer(o) }

func newServer(o Options) (*Server, error) {
	st, err := open(o.File)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(o.File), err)
	}
	s := &Server{opts: o, store: st}
	for _, name := range []string{"default", "kube-system", "kube-public", "kube-node-lease"} {
		if err := s.begin("/api/v1/namespaces/"+name, object{"spec": object{"finalizers": []any{"kubernetes"}},
			"status": object{"phase": "Active"}}); err != nil {
			return nil, err
		}
	}
	for _, name := range o.Leaders {
		if err := s.begin(leasePath+name, object{"spec": object{"holderIdentity": "light"}}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Close ends the server and its connections at once.
func (s *Server) Close() { _ = s.http.Close() }

const leasePath = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/"

// begin makes an object unless it is there.
func (s *Server) begin(path string, o object) error {
	t, _ := find(path)
	_, err := s.store.edit(t, false, func(was object) (object, error) {
		if was != nil {
			return nil, errThere
		}
		return t.shaped(o), nil
	})
	if errors.Is(err, errThere) {
		return nil
	}
	return err
}

var errThere = errors.New("it is there")

// shaped is an object with its kind, name and namespace.
func (t target) shaped(o object) object {
	o["apiVersion"], o["kind"] = t.apiVersion(), t.kind.kind
	m := meta(o)
	m["name"] = t.name
	if t.namespaced {
		m["namespace"] = t.namespace
	}
	return o
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == "/version":
		major, rest, _ := strings.Cut(strings.TrimPrefix(s.opts.Version, "v"), ".")
		minor, _, _ := strings.Cut(rest, ".")
		answer(w, http.StatusOK, object{"gitVersion": s.opts.Version, "major": major, "minor": minor, "platform": "linux/amd64"})
	case slices.Contains([]string{"/readyz", "/livez", "/healthz"}, path):
		fmt.Fprint(w, "ok")
	case r.TLS != nil && len(r.TLS.VerifiedChains) == 0:
		refuse(w, apierrors.NewUnauthorized("Unauthorized"))
	case path == "/metrics":
		fmt.Fprintln(w, "# TYPE apiserver_requested_deprecated_apis gauge")
	case discover(path) != nil:
		answer(w, http.StatusOK, discover(path))
	default:
		t, ok := find(path)
		if !ok {
			refuse(w, &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: http.StatusNotFound,
				Reason: metav1.StatusReasonNotFound, Message: "the server could not find the requested resource"}})
			return
		}
		s.resource(w, r, t)
	}
}

// resource answers a request about objects.
func (s *Server) resource(w http.ResponseWriter, r *http.Request, t target) {
	query := r.URL.Query()
	if r.Method == http.MethodGet && t.name == "" {
		match, err := selected(query.Get("labelSelector"), query.Get("fieldSelector"))
		switch {
		case err != nil:
			refuse(w, apierrors.NewBadRequest(err.Error()))
		case query.Get("watch") == "true" || query.Get("watch") == "1":
			s.watch(r.Context(), w, t, query.Get("resourceVersion"), match)
		default:
			objects, revision := s.store.list(t, match)
			for _, o := range objects {
				s.lead(t, o.(object))
			}
			answer(w, http.StatusOK, object{"apiVersion": t.apiVersion(), "kind": t.kind.kind + "List",
				"metadata": object{"resourceVersion": strconv.FormatInt(revision, 10)}, "items": objects})
		}
		return
	}
	o, code, err := s.one(r, t, query.Get("dryRun") != "")
	if err != nil {
		refuse(w, err)
		return
	}
	s.lead(t, o)
	answer(w, code, o)
}

// lead renews a leader's lease that is being read.
func (s *Server) lead(t target, o object) {
	if t.resource != "leases" || !slices.Contains(s.opts.Leaders, text(meta(o), "name")) {
		return
	}
	if spec, ok := o["spec"].(object); ok {
		spec["renewTime"] = time.Now().UTC().Format(metav1.RFC3339Micro)
	}
}

// one answers a request about a single object.
func (s *Server) one(r *http.Request, t target, dry bool) (object, int, error) {
	if r.Method == http.MethodGet {
		o, err := s.store.get(t)
		return o, http.StatusOK, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, 0, err
	}
	switch r.Method {
	case http.MethodPost:
		return s.create(body, t, dry)
	case http.MethodPut:
		o, err := s.replace(body, t, dry)
		return o, http.StatusOK, err
	case http.MethodPatch:
		o, err := s.patch(body, r.Header.Get("Content-Type"), t, dry)
		return o, http.StatusOK, err
	case http.MethodDelete:
		_, err := s.store.edit(t, dry, func(was object) (object, error) {
			if was == nil {
				return nil, apierrors.NewNotFound(t.groupResource(), t.name)
			}
			return nil, nil
		})
		return object{"kind": "Status", "apiVersion": "v1", "status": "Success"}, http.StatusOK, err
	}
	return nil, 0, apierrors.NewMethodNotSupported(t.groupResource(), r.Method)
}

func (s *Server) create(body []byte, t target, dry bool) (object, int, error) {
	o, err := decoded(body)
	if err != nil {
		return nil, 0, err
	}
	if t.name != "" { // an eviction, a token: what Kubernetes itself decides
		return nil, 0, apierrors.NewMethodNotSupported(t.groupResource(), "create "+t.sub)
	}
	if t.name = text(meta(o), "name"); t.name == "" {
		t.name = text(meta(o), "generateName") + strconv.FormatInt(time.Now().UnixNano(), 36)
	}
	o, err = s.store.edit(t, dry, func(was object) (object, error) {
		if was != nil {
			return nil, apierrors.NewAlreadyExists(t.groupResource(), t.name)
		}
		return t.shaped(o), nil
	})
	return o, http.StatusCreated, err
}

func (s *Server) replace(body []byte, t target, dry bool) (object, error) {
	o, err := decoded(body)
	if err != nil {
		return nil, err
	}
	return s.store.edit(t, dry, func(was object) (object, error) {
		if err := t.current(was, meta(o)); err != nil {
			return nil, err
		}
		if t.sub == "status" {
			was["status"] = o["status"]
			return was, nil
		}
		t.shaped(o)
		for _, field := range []string{"uid", "creationTimestamp"} {
			meta(o)[field] = meta(was)[field]
		}
		return o, nil
	})
}

// current reports as an error that what is written is not on top of what is there.
func (t target) current(was object, m object) error {
	if was == nil {
		return apierrors.NewNotFound(t.groupResource(), t.name)
	}
	if on := text(m, "resourceVersion"); on != "" && on != text(meta(was), "resourceVersion") {
		return apierrors.NewConflict(t.groupResource(), t.name, errors.New("the object has been modified"))
	}
	return nil
}

// patch merges. Lists are replaced, also where a strategic merge or an apply would merge their members.
func (s *Server) patch(body []byte, form string, t target, dry bool) (object, error) {
	if strings.HasPrefix(form, "application/json-patch") {
		return nil, &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType,
			Reason: metav1.StatusReasonUnsupportedMediaType, Message: "JSON patches are not understood"}}
	}
	change, err := decoded(body)
	if err != nil {
		return nil, err
	}
	return s.store.edit(t, dry, func(was object) (object, error) {
		if was == nil && strings.HasPrefix(form, "application/apply-patch") {
			return t.shaped(change), nil
		}
		if err := t.current(was, meta(change)); err != nil {
			return nil, err
		}
		return t.shaped(merged(was, change)), nil
	})
}

// merged is RFC 7396.
func merged(to, change object) object {
	for field, v := range change {
		switch v := v.(type) {
		case nil:
			delete(to, field)
		case object:
			was, _ := to[field].(object)
			if was == nil {
				was = object{}
			}
			to[field] = merged(was, v)
		default:
			to[field] = v
		}
	}
	return to
}

// decoded reads a body, which may be JSON, or protobuf or YAML of a kind that Kubernetes itself has.
func decoded(body []byte) (object, error) {
	var o object
	if json.Unmarshal(body, &o) == nil && o != nil {
		return o, nil
	}
	typed, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err == nil {
		o, err = runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the body is no object: %v", err))
	}
	return copied(o), nil
}

// selected is what a list asks for.
func selected(byLabel, byField string) (func(object) bool, error) {
	l, err := labels.Parse(byLabel)
	if err != nil {
		return nil, err
	}
	f, err := fields.ParseSelector(byField)
	if err != nil {
		return nil, err
	}
	return func(o object) bool {
		m, has := meta(o), labels.Set{}
		given, _ := m["labels"].(object)
		for name := range given {
			has[name] = text(given, name)
		}
		spec, _ := o["spec"].(object)
		status, _ := o["status"].(object)
		known := fields.Set{"metadata.name": text(m, "name"), "metadata.namespace": text(m, "namespace"), "type": text(o, "type"),
			"spec.nodeName": text(spec, "nodeName"), "status.phase": text(status, "phase")}
		return l.Matches(has) && f.Matches(known)
	}, nil
}

// watch tells of changes until the client goes.
func (s *Server) watch(ctx context.Context, w http.ResponseWriter, t target, from string, match func(object) bool) {
	w.Header().Set("Content-Type", "application/json")
	out, flush := json.NewEncoder(w), http.NewResponseController(w)
	revision, _ := strconv.ParseInt(from, 10, 64) // without one, what is there comes first
	if revision == 0 {
		objects, at := s.store.list(t, match)
		for _, o := range objects {
			_ = out.Encode(object{"type": "ADDED", "object": o}) // a client that is gone is seen below
		}
		revision = at
	}
	for {
		_ = flush.Flush()
		events, changed := s.store.since(t, revision)
		for _, e := range events {
			if revision = e.revision; match(e.object) {
				_ = out.Encode(object{"type": e.what, "object": e.object})
			}
		}
		if len(events) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

func answer(w http.ResponseWriter, code int, o object) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(o) // a client that is gone asks again
}

func refuse(w http.ResponseWriter, err error) {
	var known apierrors.APIStatus
	if !errors.As(err, &known) {
		known = apierrors.NewInternalError(err)
	}
	status := known.Status()
	status.Kind, status.APIVersion = "Status", "v1"
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(int(status.Code))
	_ = json.NewEncoder(w).Encode(status)
}
