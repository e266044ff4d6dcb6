package plan

import "testing"

// TestAJoinWaitsForNobodyWhoOnlyLaterComesBack: a controller joins when all other members of etcd are well. One that is stopped and that
// the
// plan starts only later, or takes out later, comes first: else no run would ever come to an end.
func TestAJoinWaitsForNobodyWhoOnlyLaterComesBack(t *testing.T) {
	for name, c := range map[string]struct {
		befall func(*world)
		leaves bool // controller-2 is to leave
	}{
		"stopped":                   {befall: func(w *world) { w.stop("controller-2") }},
		"stopped, and to leave":     {befall: func(w *world) { w.stop("controller-2") }, leaves: true},
		"wiped, and still a member": {befall: wipedMember, leaves: true},
		"cut off in its upgrade":    {befall: crashes("controller-2", v135, true)},
	} {
		t.Run(name, func(t *testing.T) {
			w := built(t, newSite(v135, 3, 1))
			c.befall(w)
			to := newSite(v136fixed, 4, 1)
			if c.leaves {
				to = newSite(v135, 4, 1, host("controller-2", reset))
			}
			w.declare(to)
			converge(t, w, serial)
			if want := 4; !c.leaves && len(w.etcd) != want || c.leaves && len(w.etcd) != want-1 {
				t.Errorf("etcd has %v", w.etcd)
			}
		})
	}
}

// wipedMember leaves of controller-2 only what etcd knows: its k0s joined once more between its leave and its reset.
func wipedMember(w *world) {
	s := w.hosts["controller-2"]
	w.stop("controller-2")
	*s = *freshWorld(w.site).hosts["controller-2"]
}
