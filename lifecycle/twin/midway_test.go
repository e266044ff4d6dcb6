package twin

import (
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestMidway: a site that a run has left half done is known by its versions, by what waits to be installed, and by kiban's marks.
func TestMidway(t *testing.T) {
	low, high := lifecycle.Version{Major: 1, Minor: 35}, lifecycle.Version{Major: 1, Minor: 36}
	site := func(edit func(*Snapshot)) Snapshot {
		s := Snapshot{Machines: []SiteMachine{{Name: "c", Role: lifecycle.RoleController, Version: low},
			{Name: "w", Role: lifecycle.RoleWorker, Version: low}}, Objects: []Object{node("w", nil), node("gone", nil)}}
		edit(&s)
		return s
	}
	marked := map[string]any{lifecycle.AnnotationCordonedBy: "run-1", lifecycle.AnnotationCordonedFor: "upgrade"}
	for name, c := range map[string]struct {
		edit     func(*Snapshot)
		midway   bool
		releases int
	}{
		"all at one version":       {func(*Snapshot) {}, false, 1},
		"a controller is newer":    {func(s *Snapshot) { s.Machines[0].Version = high }, true, 2},
		"a binary waits":           {func(s *Snapshot) { s.Machines[1].Staged = []lifecycle.Version{high} }, true, 2},
		"kiban closed a node":      {func(s *Snapshot) { s.Objects[0] = node("w", marked) }, true, 1},
		"it closed one that left":  {func(s *Snapshot) { s.Objects[1] = node("gone", marked) }, false, 1},
		"somebody else closed one": {func(s *Snapshot) { within(s.Objects[0], "spec")["unschedulable"] = true }, false, 1},
	} {
		s := site(c.edit)
		if s.midway() != c.midway || len(s.Releases()) != c.releases {
			t.Errorf("%s: midway %v, releases %v", name, s.midway(), s.Releases())
		}
	}
	held := site(func(s *Snapshot) { s.Objects[0] = node("w", marked) }).held()
	if want := (lifecycle.Mark{Run: "run-1", Reason: "upgrade"}); len(held) != 1 || held["w"] != want {
		t.Errorf("held: %+v", held)
	}
}

func node(name string, annotations map[string]any) Object {
	return Object{"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": name, "annotations": annotations}}
}

// TestBack: a machine is where the site's is when its node is Ready with its release; a controller without a node has none to wait for.
func TestBack(t *testing.T) {
	v, err := lifecycle.ParseVersion("v1.36.3+k0s.2")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		node lifecycle.NodeState
		want bool
	}{
		"Ready":                {lifecycle.NodeState{Name: "w", Ready: true, Kubelet: "v1.36.3+k0s"}, true},
		"Ready with the other": {lifecycle.NodeState{Name: "w", Ready: true, Kubelet: "v1.35.7+k0s"}, false},
		"not Ready":            {lifecycle.NodeState{Name: "w", Kubelet: "v1.36.3+k0s"}, false},
		"it says nothing yet":  {lifecycle.NodeState{Name: "w", Ready: true}, false},
		"there is no node":     {lifecycle.NodeState{Name: "other"}, true},
	} {
		if got := back(SiteMachine{Name: "w", Version: v}, []lifecycle.NodeState{c.node}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestPrograms: a machine has k0s where its declaration says.
func TestPrograms(t *testing.T) {
	at, err := programs([]byte("kind: Cluster\nspec: {hosts: [{hostname: Node-1, k0sInstallPath: /opt/k0s}, {hostname: node-2}]}\n" +
		"---\nkind: Site\n"))
	if err != nil || at["node-1"] != "/opt/k0s" || at["node-2"] != "" || len(at) != 2 {
		t.Errorf("%v, %v", at, err)
	}
}
