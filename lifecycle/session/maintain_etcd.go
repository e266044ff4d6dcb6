package session

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// MaintainEtcd has etcd's members give back what their files hold nothing in, one after another, and takes back the alarm of an etcd that
// was out of space. It looks again in the end, and it is an error when the alarm is there still. A Result without a Run: there was nothing
// to do.
func (s *Session) MaintainEtcd(ctx context.Context) (Result, error) {
	maintenance := func(seen lifecycle.State) lifecycle.Plan { return s.parts.Plans.MaintainEtcd(s.site, seen) }
	res, err := s.converge(ctx, goal{doing: "maintenance of etcd", plan: maintenance})
	if err != nil || res.Run == "" {
		return res, err
	}
	raised, err := s.stillFull(ctx)
	if err == nil && raised {
		err = lifecycle.Errorf(s.site.Name, "etcd is out of space again (alarm NOSPACE)").
			Because("There was room again, and it is used up already: what is stored is too much, or something goes on writing.").
			Try(lifecycle.EtcdTooMuch)
	}
	return res, err
}

// alarmFollows is how long a member may take to learn that an alarm was taken back: each tells what it knows itself, and one that is
// behind the others tells the alarm still.
const alarmFollows = 15 * time.Second

// stillFull looks until no member tells the alarm NOSPACE any more, or has had the time to follow.
func (s *Session) stillFull(ctx context.Context) (bool, error) {
	for began := time.Now(); ; {
		seen, err := s.Observe(ctx)
		if err != nil || !seen.Raised(lifecycle.EtcdNoSpace) {
			return false, err
		}
		if time.Since(began) >= alarmFollows {
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, lifecycle.WhyEnded(ctx)
		case <-time.After(lookAgain):
		}
	}
}
