package lightapi

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/uuid"
)

// kept is what the database's file has.
type kept struct {
	Revision int64             `json:"revision"`
	Objects  map[string]object `json:"objects"`
}

// store is the database: all objects by their key, in a file that is written with each change, whole or not at all.
type store struct {
	file string
	mu   sync.Mutex
	kept
	// events are the last changes, oldest first; changed is closed and made anew with each.
	events  []event
	changed chan struct{}
}

// event is one change.
type event struct {
	revision int64
	key      string
	what     string // ADDED, MODIFIED or DELETED
	object   object
}

// eventsKept is how many changes a watch may lag behind.
const eventsKept = 1000

func open(file string) (*store, error) {
	s := &store{file: file, kept: kept{Revision: 1, Objects: map[string]object{}}, changed: make(chan struct{})}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &s.kept)
	}
	return s, err
}

// key is where an object lies: "leases.coordination.k8s.io/kube-system/name".
func (t target) key() string { return t.prefix() + t.namespace + "/" + t.name }

func (t target) prefix() string { return t.resource + "." + t.group + "/" }

func (t target) groupResource() schema.GroupResource {
	return schema.GroupResource{Group: t.group, Resource: t.resource}
}

func meta(o object) object {
	m, _ := o["metadata"].(object)
	if m == nil {
		m = object{}
		o["metadata"] = m
	}
	return m
}

func text(o object, field string) string {
	s, _ := o[field].(string)
	return s
}

// copied is an object that shares nothing with o.
func copied(o object) object {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err) // it came from JSON
	}
	var out object
	if err := json.Unmarshal(b, &out); err != nil {
		panic(err)
	}
	return out
}

// get reads an object.
func (s *store) get(t target) (object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.Objects[t.key()]
	if !ok {
		return nil, apierrors.NewNotFound(t.groupResource(), t.name)
	}
	return copied(o), nil
}

// list gives the objects of a kind, of one namespace where the target has one, sorted by key, and the revision that they are of.
func (s *store) list(t target, match func(object) bool) (objects []any, revision int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for key, o := range s.Objects {
		if t.has(key) && match(o) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	objects = []any{}
	for _, key := range keys {
		objects = append(objects, copied(s.Objects[key]))
	}
	return objects, s.Revision
}

// has reports whether a key is of the target's kind, and namespace where it has one.
func (t target) has(key string) bool {
	rest, ok := strings.CutPrefix(key, t.prefix())
	return ok && (t.namespace == "" || strings.HasPrefix(rest, t.namespace+"/"))
}

// edit changes an object: change is given what is there, nil where nothing is, and says what is to be; nil: it is deleted. dry has it
// reckoned and not kept.
func (s *store) edit(t target, dry bool, change func(was object) (object, error)) (object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, had := s.Objects[t.key()]
	var was object
	if had {
		was = copied(old)
	}
	now, err := change(was)
	if err != nil || dry {
		return now, err
	}
	s.Revision++
	e := event{revision: s.Revision, key: t.key(), what: "MODIFIED", object: now}
	switch {
	case now == nil:
		delete(s.Objects, t.key())
		e.what, e.object = "DELETED", copied(old)
		meta(e.object)["resourceVersion"] = strconv.FormatInt(s.Revision, 10)
	default:
		m := meta(now)
		if !had {
			e.what = "ADDED"
			m["uid"], m["creationTimestamp"] = string(uuid.NewUUID()), time.Now().UTC().Format(time.RFC3339)
		}
		m["resourceVersion"] = strconv.FormatInt(s.Revision, 10)
		s.Objects[t.key()] = now
		e.object, now = copied(now), copied(now)
	}
	s.events = append(s.events, e)
	s.events = s.events[max(0, len(s.events)-eventsKept):]
	close(s.changed)
	s.changed = make(chan struct{})
	return now, s.save()
}

// save writes the file.
func (s *store) save() error {
	b, err := json.Marshal(s.kept)
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.file+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(s.file+".new", s.file)
}

// since are the changes of a kind after a revision, and what is closed with the next change.
func (s *store) since(t target, revision int64) ([]event, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []event
	for _, e := range s.events {
		if e.revision > revision && t.has(e.key) {
			list = append(list, e)
		}
	}
	return list, s.changed
}
