package controlplane

import (
	"testing"
	"time"
)

func TestUsable(t *testing.T) {
	ca, err := newAuthority("one")
	if err != nil {
		t.Fatal(err)
	}
	other, err := newAuthority("one")
	if err != nil {
		t.Fatal(err)
	}
	who := subject{name: "kubernetes", sans: []string{"127.66.0.11", "kubernetes"}}
	p, err := ca.issue(who)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for name, c := range map[string]struct {
		ca   *authority
		who  subject
		now  time.Time
		want bool
	}{
		"as issued":              {ca, who, now, true},
		"of another authority":   {other, who, now, false},
		"without a new address":  {ca, subject{sans: []string{"127.66.0.11", "127.66.0.12"}}, now, false},
		"in its last month":      {ca, who, now.AddDate(0, 11, 15), false},
		"with fewer names asked": {ca, subject{sans: []string{"kubernetes"}}, now, true},
	} {
		if got := usable(p, c.ca, c.who, c.now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
