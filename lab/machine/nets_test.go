package machine

import (
	"sync"
	"testing"
)

// TestLabsThatStartAtOnceHaveNetsOfTheirOwn: none fails, and no two share an address, also where one needs several nets.
func TestLabsThatStartAtOnceHaveNetsOfTheirOwn(t *testing.T) {
	const labs = 8
	var wg sync.WaitGroup
	got := make([]*Lab, labs)
	for i := range labs {
		wg.Go(func() {
			l, err := New(Options{Dir: t.TempDir(), Net: NetAuto, Controllers: 1, Workers: 1 + i%2*120, Exe: []string{"/absent"}})
			if err == nil {
				err = l.Up(t.Context())
			}
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(l.Down)
			got[i] = l
		})
	}
	wg.Wait()
	owner := map[string]int{}
	for i, l := range got {
		if l == nil {
			continue
		}
		info, err := ReadInfo(l.Dir())
		if err != nil || info.Net != l.Info().Net || info.Net == NetAuto || len(info.Machines) != 2+i%2*120 {
			t.Fatalf("lab.json: %+v, %v", info, err)
		}
		for _, m := range info.Machines {
			if before, taken := owner[m.Address]; taken {
				t.Fatalf("labs %d and %d both have %s", before, i, m.Address)
			}
			owner[m.Address] = i
			if said := run(l.Machine(m.Name), "root", "hostname", ""); said.out != m.Name+"\n" {
				t.Fatalf("%s: %s", m.Name, said)
			}
		}
	}
}

// TestAClaimIsHeldForTheLabsLife: a machine that is switched off leaves its address to nobody else.
func TestAClaimIsHeldForTheLabsLife(t *testing.T) {
	l := lab(t, 1, 0)
	l.Machines()[0].PowerOff()
	net := l.Info().Net
	if _, err := claim(net, 1); !inUse(err) {
		t.Errorf("the net of a lab whose machines are off was given away: %v", err)
	}
	l.Down()
	release, err := claim(net, 1)
	if err != nil {
		t.Fatalf("the net of a lab that has ended is not free: %v", err)
	}
	release()
}

// TestFreeNetsStayApart: every net that is tried lies within what is for them, and no two that are of several nets overlap.
func TestFreeNetsStayApart(t *testing.T) {
	for _, n := range []int{1, 3, 100} {
		seen := map[string]bool{}
		for net := range free(n) {
			list, err := placed(counted("", 0, 100*n), net)
			if err != nil {
				t.Fatal(err)
			}
			if seen[net] {
				t.Fatalf("%s twice", net)
			}
			seen[net] = true
			if last := list[len(list)-1].Address; last[:6] != net[:6] {
				t.Fatalf("%s reaches %s", net, last)
			}
		}
		if len(seen) < 90 {
			t.Errorf("%d nets of %d", len(seen), n)
		}
	}
}
