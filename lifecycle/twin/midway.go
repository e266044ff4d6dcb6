package twin

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// A site whose last run was cut off has machines at more than one version, binaries that wait to be installed, and nodes that kiban has
// closed. The twin is set up whole, at the lowest version; then it is brought to where the site is.

// raisedWithin is how long a machine may take until its other release answers, and its node is Ready with it.
const raisedWithin = 3 * time.Minute

// midway reports whether the site is one that a run has left half done.
func (s Snapshot) midway() bool {
	for _, m := range s.Machines {
		if m.Version != s.Lowest() || len(m.Staged) > 0 {
			return true
		}
	}
	return len(s.held()) > 0
}

// held are the nodes that kiban closed, by the names of their machines, with the marks that say so. Those in maintenance are among them.
func (s Snapshot) held() map[string]lifecycle.Mark {
	out := map[string]lifecycle.Mark{}
	nodes := s.nodes()
	for _, m := range s.Machines {
		n, ok := nodes[m.Name]
		if !ok {
			continue
		}
		noted := n.strings("metadata.annotations")
		if by := noted[lifecycle.AnnotationCordonedBy]; by != "" {
			out[m.Name] = lifecycle.Mark{Run: by, Reason: noted[lifecycle.AnnotationCordonedFor]}
		}
	}
	return out
}

// programs are where the machines have k0s, by their names.
func programs(documents []byte) (map[string]string, error) {
	docs, err := parseDocuments(documents)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, doc := range docs {
		hosts, _ := lookupPath(doc, "spec.hosts").([]any)
		for _, h := range hosts {
			host, _ := h.(map[string]any)
			out[strings.ToLower(text(host, "hostname"))] = text(host, "k0sInstallPath")
		}
	}
	return out, nil
}

// catchUp brings the twin's machines to where those of the site are, controllers first. Nothing runs on them yet that their restart could
// disturb.
func (t *twin) catchUp(ctx context.Context, api API) error {
	t.Note("Bringing its machines to where the site's last run left them.")
	at, err := programs(t.Documents)
	if err != nil {
		return err
	}
	for _, m := range t.Machines {
		program := at[m.Name]
		if program == "" {
			program = "/usr/local/bin/k0s"
		}
		for _, v := range m.Staged {
			if err := t.put(ctx, m, v, path.Dir(program)+"/k0s.kiban-"+v.String()); err != nil {
				return err
			}
		}
		if m.Version == t.Lowest() {
			continue
		}
		if err := t.raise(ctx, m, program, api); err != nil {
			return lifecycle.Errorf(m.Name, "the twin's machine can't be brought to k0s %s, which the site's has", m.Version).
				From(err).Try(again)
		}
	}
	return nil
}

// hold closes the nodes that kiban closed at the site. It comes behind the pods, which run there, too.
func (t *twin) hold(ctx context.Context, api API) error {
	for machine, mark := range t.held() {
		b, err := json.Marshal(map[string]any{"spec": map[string]any{"unschedulable": true}, "metadata": map[string]any{
			"annotations": map[string]any{lifecycle.AnnotationCordonedBy: mark.Run, lifecycle.AnnotationCordonedFor: mark.Reason}}})
		if err == nil {
			err = api.Merge(ctx, lifecycle.ObjectRef{APIVersion: "v1", Kind: "Node", Name: machine}, b)
		}
		if err != nil {
			return lifecycle.Errorf(machine, "the twin's node can't be closed as the site's is").From(err).Try(again)
		}
	}
	return nil
}

// put writes a release of the lab's mirror on a machine.
func (t *twin) put(ctx context.Context, m SiteMachine, v lifecycle.Version, to string) error {
	arch := m.Arch
	if arch != "arm64" {
		arch = "amd64" // as LabMachines has it
	}
	b, err := os.ReadFile(filepath.Join(t.lab.Mirror, v.String(), fmt.Sprintf("k0s-%s-%s", v, arch)))
	if err == nil {
		err = t.lab.Put(ctx, m.Name, to, b)
	}
	if err != nil {
		return lifecycle.Errorf(m.Name, "k0s %s can't be put on the twin's machine", v).From(err).Try(again)
	}
	return nil
}

// raise puts the site's release in the place of the machine's, and waits until it answers.
func (t *twin) raise(ctx context.Context, m SiteMachine, program string, api API) error {
	service := "k0sworker"
	if m.Role.IsController() {
		service = "k0scontroller"
	}
	beside := path.Dir(program) + "/.k0s.twin"
	if err := t.put(ctx, m, m.Version, beside); err != nil {
		return err
	}
	if _, err := t.lab.Exec(ctx, m.Name, fmt.Sprintf("systemctl stop %s && mv -f %s %s && systemctl start %s", service,
		lifecycle.ShellWord(beside), lifecycle.ShellWord(program), service)); err != nil {
		return err
	}
	ctx, cancel := lifecycle.Within(ctx, raisedWithin, "it does not answer")
	defer cancel()
	for {
		out, err := t.lab.Exec(ctx, m.Name, lifecycle.ShellWord(program)+" status")
		if err == nil && strings.Contains(string(out), "Version: "+m.Version.String()+"\n") {
			nodes, err := api.Nodes(ctx)
			if err == nil && back(m, nodes) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// back reports whether a machine's node is Ready with the machine's release; one without a node is.
func back(m SiteMachine, nodes []lifecycle.NodeState) bool {
	for _, n := range nodes {
		if n.Name == m.Name {
			return n.Ready && n.Kubelet == m.Version.Kubelet()
		}
	}
	return true
}
