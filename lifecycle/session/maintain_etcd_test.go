package session

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"kiban.dev/kiban/lifecycle"
)

// fullEtcd tells the alarm for so many looks.
type fullEtcd struct {
	*bench
	looks, tells int
}

func (f *fullEtcd) Observe(context.Context) (lifecycle.State, error) {
	f.looks++
	h := lifecycle.HostState{Name: "c1", Etcd: &lifecycle.EtcdStatus{Size: 1}}
	if f.looks <= f.tells {
		h.Etcd.Alarms = []string{lifecycle.EtcdNoSpace}
	}
	return lifecycle.State{Site: "lab", Hosts: []lifecycle.HostState{h}}, nil
}

// TestAlarmThatIsBehind: a member that has not followed yet tells the alarm that was taken back. That is not one that was raised again.
func TestAlarmThatIsBehind(t *testing.T) {
	for name, c := range map[string]struct {
		tells int
		again bool
	}{
		"at once": {2, false}, "behind for two looks more": {4, false}, "raised again": {1000, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &bench{plans: []lifecycle.Plan{planOf("f", "c1/disarm-etcd")}}
				s := b.open(t, Options{})
				s.parts.Site = &fullEtcd{bench: b, tells: c.tells}
				s.parts.Plans.MaintainEtcd = func(lifecycle.Site, lifecycle.State) lifecycle.Plan { return b.next() }
				r, err := s.MaintainEtcd(t.Context())
				if r.Run == "" || (err != nil) != c.again || c.again && !strings.Contains(err.Error(), "out of space again") {
					t.Errorf("%+v, %v", r, err)
				}
				if d, is := errors.AsType[lifecycle.Diagnostic](err); c.again && (!is || d.Hint != lifecycle.EtcdTooMuch) {
					t.Errorf("it does not say what helps: %+v", err)
				}
			})
		})
	}
}
