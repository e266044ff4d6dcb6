package k0s

import "testing"

func TestQuickPath(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"get", "--raw=/readyz"}, "/readyz"},
		{[]string{"get", "--raw=/version"}, "/version"},
		{[]string{"get", "--raw=/readyz?verbose=true"}, ""},
		{[]string{"get", "node", "worker-1", "-o", "json"}, "/api/v1/nodes/worker-1"},
		{[]string{"get", "node", "--all", "-o", "json"}, ""},
		{[]string{"get", "node", "worker-1", "-o", "yaml"}, ""},
		{[]string{"get", "nodes"}, ""},
		{[]string{"delete", "node", "worker-1"}, ""},
		{nil, ""},
	} {
		if got, _ := quickPath(tc.args); got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.args, got, tc.want)
		}
	}
}

func TestServiceArguments(t *testing.T) {
	role, f, err := parseRole([]string{"/usr/local/bin/k0s", "worker", "--data-dir=/d",
		"--kubelet-extra-args=--node-ip=1.2.3.4 --hostname-override=Node-7", "--labels=a=b"})
	if err != nil || role != "worker" || f.dataDir != "/d" || f.nodeName("machine") != "Node-7" || !f.runsKubelet(role) {
		t.Errorf("got %s %+v %v", role, f, err)
	}
	if _, _, err := parseRole([]string{"/usr/local/bin/k0s", "worker", "--nonsense=1"}); err == nil {
		t.Error("a service with an unknown flag would start")
	}
	if role, f, err := parseRole([]string{"k0s", "controller", "--single=true"}); err != nil || !f.runsKubelet(role) {
		t.Errorf("single: %s %+v %v", role, f, err)
	}
}

func TestBinaryIsWholeOrNothing(t *testing.T) {
	b := Binary("v1.36.3+k0s.2")
	if len(b) < 200<<10 || len(b) > 300<<10 {
		t.Errorf("size %d", len(b))
	}
	if string(b) != string(Binary("v1.36.3+k0s.2")) || string(b) == string(Binary("v1.36.2+k0s.0")) {
		t.Error("a release is not always the same file, or two releases are")
	}
}
