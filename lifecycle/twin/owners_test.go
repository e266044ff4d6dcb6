package twin

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// TestOwned: waited for are the pods that are loaded with what makes them again, and no others. The twin's objects have lost their owners.
func TestOwned(t *testing.T) {
	pod := func(name, kind, owner string) string {
		return `{"apiVersion":"v1","kind":"Pod",` + meta("shop", name, `,"labels":{"app":"a"},"ownerReferences":[{"kind":"`+kind+`","name":"`+owner+
			`","controller":true}]`) + `,"spec":{"nodeName":"worker-1"},` + running + `}`
	}
	set := func(kind, name string) string {
		return `{"apiVersion":"apps/v1","kind":"` + kind + `",` + meta("shop", name, "") + `,"spec":{"replicas":1,"template":{}}}`
	}
	site := objects(t, set("ReplicaSet", "web"), pod("web-1", "ReplicaSet", "web"), pod("log-0", "Kafka", "log"), set("StatefulSet", "db"),
		pod("db-0", "StatefulSet", "db"), pod("left-1", "ReplicaSet", "gone"))
	made := makers(site)
	if got := owned(Tame(Snapshot{Objects: site}).Objects, made); !slices.Equal(got, []string{"shop/db-0", "shop/web-1"}) {
		t.Errorf("%q of %q", got, made)
	}
}

// adopting is an API whose pods are adopted one look after another.
type adopting struct {
	still
	looks *[]map[string]bool
}

func (a adopting) PodsReady(context.Context) (map[string]string, map[string]bool, error) {
	l := *a.looks
	if len(l) > 1 {
		*a.looks = l[1:]
	}
	if l[0] == nil {
		return nil, nil, errors.New("no answer")
	}
	return nil, l[0], nil
}

// TestAwaitOwners: a rehearsal begins when controllers have the pods; an API that does not answer once is asked again.
func TestAwaitOwners(t *testing.T) {
	orphan, owned := map[string]bool{"shop/a": false}, map[string]bool{"shop/a": true}
	for name, c := range map[string]struct {
		looks  []map[string]bool
		within time.Duration
		fails  bool
		left   int
	}{
		"at once":          {[]map[string]bool{owned, nil}, time.Minute, false, 1},
		"later":            {[]map[string]bool{orphan, nil, owned}, time.Minute, false, 1},
		"it is gone":       {[]map[string]bool{orphan, {}}, time.Minute, false, 1},
		"never":            {[]map[string]bool{orphan}, 0, false, 1},
		"it never answers": {[]map[string]bool{nil}, 0, true, 1},
	} {
		looks := c.looks
		err := awaitOwners(t.Context(), adopting{looks: &looks}, []string{"shop/a"}, c.within)
		if (err != nil) != c.fails || len(looks) != c.left {
			t.Errorf("%s: %v, %d looks left", name, err, len(looks))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if awaitOwners(ctx, adopting{looks: &[]map[string]bool{orphan}}, []string{"shop/a"}, time.Minute) == nil {
		t.Error("Ctrl-C is not heard")
	}
}
