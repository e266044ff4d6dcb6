package kube

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

// object is a Kubernetes object as JSON has it.
type object map[string]any

// fakeAPI is as much of a Kubernetes API server as the client needs: storage with resource versions, lists in chunks,
// watches, merge patches with preconditions, evictions that budgets may refuse. Pods are Ready at once and gone a moment
// after they are deleted; budgets' statuses always follow.
type fakeAPI struct {
	mu       sync.Mutex
	revision int
	objects  map[string]map[string]object // by collection ("pods", "poddisruptionbudgets"), by "namespace/name"
	watchers map[*watcher]bool
	// linger is how long a deleted pod takes to end.
	linger time.Duration
	// Faults and records.
	refuse    func(r *http.Request) (code int, done bool)
	judge     func(collection, key string, body object) (code int, message string, causes []any) // refuses what is applied
	evictions map[string]int                                                                     // asked for, by pod
	// the next chunk that continues a list has expired
	expireNext  bool
	readyz      string // what /readyz?verbose says when it fails
	requests    int
	connections map[string]bool
}

type watcher struct {
	collection string
	match      func(object) bool
	events     chan object
}

func newFakeAPI() *fakeAPI {
	f := &fakeAPI{objects: map[string]map[string]object{}, watchers: map[*watcher]bool{}, evictions: map[string]int{},
		linger: 20 * time.Millisecond, connections: map[string]bool{}}
	f.put("namespaces", object{"metadata": map[string]any{"name": "kube-system", "uid": "cluster-uid"}})
	return f
}

func metadata(o object) map[string]any { return o["metadata"].(map[string]any) }

func text(m map[string]any, path ...string) string {
	for _, p := range path[:len(path)-1] {
		m, _ = m[p].(map[string]any)
	}
	s, _ := m[path[len(path)-1]].(string)
	return s
}

func number(m map[string]any, path ...string) int {
	for _, p := range path[:len(path)-1] {
		m, _ = m[p].(map[string]any)
	}
	switch v := m[path[len(path)-1]].(type) {
	case float64:
		return int(v)
	case int:
		return v
	}
	return 0
}

func keyOf(o object) string { return text(metadata(o), "namespace") + "/" + text(metadata(o), "name") }

// put stores an object and tells the watchers. The caller holds the lock, or nobody else is there yet.
func (f *fakeAPI) put(collection string, o object) object {
	f.revision++
	m := metadata(o)
	m["resourceVersion"] = strconv.Itoa(f.revision)
	if text(m, "uid") == "" {
		m["uid"] = fmt.Sprintf("uid-%d", f.revision)
	}
	// watches are decoded by it
	if kind := map[string]string{"pods": "v1 Pod", "poddisruptionbudgets": "policy/v1 PodDisruptionBudget"}[collection]; kind != "" {
		version, name, _ := strings.Cut(kind, " ")
		o["apiVersion"], o["kind"] = version, name
	}
	if f.objects[collection] == nil {
		f.objects[collection] = map[string]object{}
	}
	kind := "MODIFIED"
	if f.objects[collection][keyOf(o)] == nil {
		kind = "ADDED"
	}
	f.objects[collection][keyOf(o)] = o
	f.tell(collection, kind, o)
	if collection == "pods" || (collection == "poddisruptionbudgets" && kind == "ADDED") {
		f.settle()
	}
	return o
}

func (f *fakeAPI) remove(collection, key string) {
	o := f.objects[collection][key]
	if o == nil {
		return
	}
	delete(f.objects[collection], key)
	f.tell(collection, "DELETED", o)
	f.settle()
}

func (f *fakeAPI) tell(collection, kind string, o object) {
	raw, _ := json.Marshal(object{"type": kind, "object": o})
	var copied object
	_ = json.Unmarshal(raw, &copied)
	for w := range f.watchers {
		if w.collection == collection && w.match(o) {
			w.events <- copied
		}
	}
}

// settle makes every budget's status follow the pods, as the disruption controller does.
func (f *fakeAPI) settle() {
	for _, b := range f.objects["poddisruptionbudgets"] {
		healthy := 0
		expected := 0
		for _, p := range f.objects["pods"] {
			if guards(b, p) {
				expected++
				if metadata(p)["deletionTimestamp"] == nil {
					healthy++
				}
			}
		}
		desired := number(b, "spec", "minAvailable")
		status := map[string]any{"currentHealthy": healthy, "desiredHealthy": desired, "expectedPods": expected,
			"disruptionsAllowed": max(0, healthy-desired)}
		if fmt.Sprint(b["status"]) != fmt.Sprint(status) {
			b["status"] = status
			f.put("poddisruptionbudgets", b)
		}
	}
}

func guards(b, p object) bool {
	spec, _ := b["spec"].(map[string]any)
	selector, _ := spec["selector"].(map[string]any)
	want, _ := selector["matchLabels"].(map[string]any)
	set, _ := metadata(p)["labels"].(map[string]any)
	for k, v := range want {
		if set[k] != v {
			return false
		}
	}
	return text(metadata(b), "namespace") == text(metadata(p), "namespace")
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests++
	f.connections[r.RemoteAddr] = true
	refuse, readyz := f.refuse, f.readyz
	f.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer secret" {
		status(w, http.StatusUnauthorized, "Unauthorized", "who are you", nil)
		return
	}
	if refuse != nil {
		if code, done := refuse(r); done {
			status(w, code, "", "refused for the test", nil)
			return
		}
	}
	switch r.URL.Path {
	case "/readyz":
		if readyz != "" {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(readyz))
		}
		return
	case "/version":
		reply(w, http.StatusOK, object{"gitVersion": "v1.36.3+k0s"})
		return
	}
	if kinds := discover(r.URL.Path); kinds != nil {
		reply(w, http.StatusOK, kinds)
		return
	}
	f.resource(w, r)
}

// resource serves /api/v1/... and /apis/<group>/<version>/..., with or without a namespace.
func (f *fakeAPI) resource(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	skip := 2
	if parts[0] == "apis" {
		skip = 3
	}
	parts = parts[skip:]
	namespace := ""
	if parts[0] == "namespaces" && len(parts) > 2 {
		namespace, parts = parts[1], parts[2:]
	}
	collection := parts[0]
	var body object
	if r.Body != nil {
		_ = json.NewDecoder(r.Body).Decode(&body)
	}
	switch {
	case len(parts) == 1 && r.Method == http.MethodGet && r.URL.Query().Get("watch") != "":
		f.watch(w, r, collection, namespace)
	case len(parts) == 1 && r.Method == http.MethodGet:
		f.list(w, r, collection, namespace)
	case len(parts) == 1:
		f.create(w, collection, namespace, body)
	case len(parts) == 3 && parts[2] == "eviction":
		f.evict(w, namespace+"/"+parts[1], body)
	case r.Method == http.MethodPatch && strings.HasPrefix(r.Header.Get("Content-Type"), "application/apply-patch"):
		f.apply(w, r, collection, namespace+"/"+parts[1], body)
	default:
		f.one(w, r, collection, namespace+"/"+parts[1], body)
	}
}

func (f *fakeAPI) create(w http.ResponseWriter, collection, namespace string, body object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if namespace != "" {
		metadata(body)["namespace"] = namespace
	}
	if name := text(metadata(body), "name"); name != "" && f.objects[collection][keyOf(body)] != nil {
		status(w, http.StatusConflict, "AlreadyExists", collection+" "+name+" already exists", nil)
		return
	}
	if collection == "pods" {
		body["status"] = map[string]any{"phase": "Running", "podIP": "10.244.0.9",
			"conditions": []any{map[string]any{"type": "Ready", "status": "True"}}}
	}
	reply(w, http.StatusCreated, f.put(collection, body))
}

func (f *fakeAPI) one(w http.ResponseWriter, r *http.Request, collection, key string, body object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.objects[collection][key]
	if o == nil {
		status(w, http.StatusNotFound, "NotFound", collection+" "+key+" not found", nil)
		return
	}
	switch r.Method {
	case http.MethodDelete:
		if collection == "pods" {
			f.end(key)
		} else {
			f.remove(collection, key)
		}
	case http.MethodPatch:
		if want := text(body, "metadata", "resourceVersion"); want != "" && want != text(metadata(o), "resourceVersion") {
			status(w, http.StatusConflict, "Conflict", "the object has been modified", nil)
			return
		}
		was := copied(o)
		merge(o, body)
		o = f.put(collection, updated(r, was, o))
	case http.MethodPut:
		if text(metadata(body), "resourceVersion") != text(metadata(o), "resourceVersion") {
			status(w, http.StatusConflict, "Conflict", "the object has been modified", nil)
			return
		}
		o = f.put(collection, body)
	}
	reply(w, http.StatusOK, o)
}

// merge is RFC 7386.
func merge(into, patch map[string]any) {
	for k, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(into, k)
		case map[string]any:
			inner, ok := into[k].(map[string]any)
			if !ok {
				inner = map[string]any{}
				into[k] = inner
			}
			merge(inner, v)
		default:
			into[k] = v
		}
	}
}

func (f *fakeAPI) evict(w http.ResponseWriter, key string, body object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.evictions[key]++
	p := f.objects["pods"][key]
	if p == nil {
		status(w, http.StatusNotFound, "NotFound", "no such pod", nil)
		return
	}
	if uid := text(body, "deleteOptions", "preconditions", "uid"); uid != "" && uid != text(metadata(p), "uid") {
		status(w, http.StatusConflict, "Conflict", "the UID in the precondition does not match the UID in record", nil)
		return
	}
	for _, b := range f.objects["poddisruptionbudgets"] {
		if guards(b, p) && number(b, "status", "disruptionsAllowed") == 0 {
			w.Header().Set("Retry-After", "10") // as a real one does while a budget's status is behind
			status(w, http.StatusTooManyRequests, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.",
				map[string]any{"causes": []any{map[string]any{"reason": "DisruptionBudget", "message": "The disruption budget needs more"}}})
			return
		}
	}
	f.end(key)
	reply(w, http.StatusCreated, object{"kind": "Status", "apiVersion": "v1", "status": "Success"})
}

// end lets a pod terminate. The caller holds the lock.
func (f *fakeAPI) end(key string) {
	p := f.objects["pods"][key]
	metadata(p)["deletionTimestamp"] = time.Now().UTC().Format(time.RFC3339)
	f.put("pods", p)
	if f.linger >= 0 {
		time.AfterFunc(f.linger, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.remove("pods", key)
		})
	}
}

// selection is what a list's or watch's selectors ask for.
func selection(r *http.Request, namespace string) func(object) bool {
	selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		panic(err)
	}
	node, one := strings.CutPrefix(r.URL.Query().Get("fieldSelector"), "spec.nodeName=")
	if !one {
		node = ""
	}
	alive := r.URL.Query().Get("fieldSelector") == unfinished
	return func(o object) bool {
		if phase := text(o, "status", "phase"); alive && (phase == "Succeeded" || phase == "Failed") {
			return false
		}
		set := labels.Set{}
		if m, ok := metadata(o)["labels"].(map[string]any); ok {
			for k, v := range m {
				set[k] = v.(string)
			}
		}
		return (namespace == "" || text(metadata(o), "namespace") == namespace) && (node == "" || text(o, "spec", "nodeName") == node) &&
			selector.Matches(set)
	}
}

func (f *fakeAPI) list(w http.ResponseWriter, r *http.Request, collection, namespace string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	match := selection(r, namespace)
	items := []object{}
	for _, key := range slices.Sorted(maps.Keys(f.objects[collection])) {
		if o := f.objects[collection][key]; match(o) {
			items = append(items, o)
		}
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	if from > 0 && f.expireNext {
		f.expireNext = false
		status(w, http.StatusGone, "Expired", "the continue token has expired", nil)
		return
	}
	m := map[string]any{"resourceVersion": strconv.Itoa(f.revision)}
	if items = items[from:]; limit > 0 && len(items) > limit {
		items = items[:limit]
		m["continue"] = strconv.Itoa(from + limit)
	}
	reply(w, http.StatusOK, object{"metadata": m, "items": items})
}

func (f *fakeAPI) watch(w http.ResponseWriter, r *http.Request, collection, namespace string) {
	me := &watcher{collection: collection, match: selection(r, namespace), events: make(chan object, 4096)}
	f.mu.Lock()
	for _, o := range f.objects[collection] {
		if me.match(o) {
			raw, _ := json.Marshal(object{"type": "ADDED", "object": o})
			var e object
			_ = json.Unmarshal(raw, &e)
			me.events <- e
		}
	}
	f.watchers[me] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.watchers, me)
	}()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	for {
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			return
		case e := <-me.events:
			_ = json.NewEncoder(w).Encode(e)
		}
	}
}

func reply(w http.ResponseWriter, code int, o object) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(o)
}

func status(w http.ResponseWriter, code int, reason, message string, details map[string]any) {
	reply(w, code, object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message,
		"details": details})
}
