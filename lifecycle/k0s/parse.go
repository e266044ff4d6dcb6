package k0s

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// facts is what one run of the facts script said. Secrets stay in it: a State gets none of them.
type facts struct {
	host lifecycle.HostState
	// clock is the host's time when the script began; zero when it said none.
	clock time.Time
	// tokenFile is the join token's path in the unit; "" when the host did not join with one.
	tokenFile  string
	kubeconfig []byte
	// etcd is the member list of this controller's etcd; etcdProblem says why there is none. Both empty: no etcd here.
	etcd        []lifecycle.EtcdMember
	etcdProblem string
}

// parseFacts reads the output of the facts script, which framed it with nonce. It never fails: what does not make sense becomes the
// host's problem.
func parseFacts(out []byte, nonce string) facts {
	raw := unframe(out, nonce)
	if raw.value("facts") != "1" {
		return facts{host: lifecycle.HostState{Problem: lifecycle.HostFacts, Why: "it answered, but not with facts"}}
	}
	if raw.value("done") != "1" {
		return facts{host: lifecycle.HostState{Problem: lifecycle.HostFacts, Why: "its answer broke off"}}
	}
	if raw.value("systemd") == "none" {
		return facts{host: lifecycle.HostState{Problem: lifecycle.HostFacts, Why: "it has no systemd, which kiban needs to run k0s as a service"}}
	}
	var f facts
	f.machine(raw)
	f.installed(raw)
	f.service(raw)
	f.files(raw)
	return f
}

func (f *facts) machine(raw frames) {
	h := &f.host
	h.Hostname = strings.ToLower(raw.value("hostname"))
	h.Kernel = raw.value("kernel")
	h.BootID = raw.value("boot")
	h.Arch = goArch(raw.value("machine"))
	h.OS = osName(raw.block("os"))
	h.CgroupV1 = raw.value("cgroup") == "1"
	h.FreeBytes = freeBytes(raw.block("free"))
	if s, err := strconv.ParseInt(raw.value("clock"), 10, 64); err == nil {
		f.clock = time.Unix(s, 0)
	}
}

func (f *facts) installed(raw frames) {
	h := &f.host
	if b, ok := raw.blocks["version"]; ok {
		h.Binary, h.BinaryProblem = binaryVersion(b)
	}
	for _, name := range raw.values["staged"] {
		if v, err := lifecycle.ParseVersion(name); err == nil {
			h.Staged = append(h.Staged, v)
		}
	}
	slices.SortFunc(h.Staged, lifecycle.Version.Compare)
	for _, name := range raw.values["former"] {
		if v, err := lifecycle.ParseVersion(name); err == nil && h.Former.Less(v) {
			h.Former = v
		}
	}
	if h.ServiceName = raw.value("unit"); h.ServiceName == "" {
		return
	}
	u := parseUnit(string(raw.block("unitfile")))
	h.Arguments, f.tokenFile = u.arguments, u.tokenFile
	if sum := raw.value("environment"); sum != "" {
		h.Environment = "sha256:" + sum
	}
}

func (f *facts) service(raw frames) {
	h := &f.host
	h.Service = lifecycle.ServiceAbsent
	if h.ServiceName == "" {
		return
	}
	p := properties(raw.block("service"))
	h.Service = serviceState(p["ActiveState"], p["SubState"])
	h.Restarts, _ = strconv.Atoi(p["NRestarts"])
	if h.Service == lifecycle.ServiceRunning {
		h.ServiceSince, _ = time.Parse("Mon 2006-01-02 15:04:05 MST", p["ActiveEnterTimestamp"])
	}
	f.status(raw.block("status"))
	if h.Service == lifecycle.ServiceRunning && h.ServiceName == "k0scontroller" {
		f.kubeconfig = bytes.Clone(raw.block("kubeconfig"))
		if b, ok := raw.blocks["etcd"]; ok {
			f.etcd, f.etcdProblem = etcdMembers(b)
		}
	}
}

// status reads `k0s status -o json`. A service that does not answer leaves everything as it is: that is a fact, too.
func (f *facts) status(out []byte) {
	i := bytes.IndexByte(out, '{')
	if i < 0 {
		return
	}
	var s struct {
		Version   string
		Pid       int
		Role      string
		Workloads bool
	}
	if json.NewDecoder(bytes.NewReader(out[i:])).Decode(&s) != nil || s.Pid == 0 {
		return
	}
	if v, err := lifecycle.ParseVersion(s.Version); err == nil {
		f.host.Running, f.host.K0sRole, f.host.Workloads = v, s.Role, s.Workloads
	}
}

func (f *facts) files(raw frames) {
	h := &f.host
	h.Data = raw.value("data") == "1"
	h.Token = raw.value("token") == "1"
	h.Files = fileStates(raw.values["file"])
	h.Restored, h.Server = raw.value("restored"), strings.Trim(raw.value("server"), `"'`)
	b, ok := raw.blocks["config"]
	if !ok {
		return
	}
	c, err := canonical(b.text)
	if err != nil {
		c = fmt.Appendf(nil, "%q", b.text) // not YAML: it differs from whatever is declared
	}
	h.Config, h.ConfigDigest = c, digest(c)
}

// fileStates reads what the script says of declared files: digest, mode, ids and names of owner and group, path.
func fileStates(lines []string) []lifecycle.FileState {
	var out []lifecycle.FileState
	for _, line := range lines {
		p := strings.SplitN(line, " ", 7)
		if len(p) != 7 || len(p[0]) != 64 {
			continue // unreadable, or gone meanwhile: as if it were not there
		}
		f := lifecycle.FileState{Digest: "sha256:" + p[0], Mode: fmt.Sprintf("%04s", p[1]), Owner: p[4], Group: p[5], Path: p[6]}
		if f.Owner == "UNKNOWN" {
			f.Owner = p[2]
		}
		if f.Group == "UNKNOWN" {
			f.Group = p[3]
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b lifecycle.FileState) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// binaryVersion finds the version in what `k0s version` said, or says why there is none.
func binaryVersion(b block) (lifecycle.Version, string) {
	for line := range strings.Lines(string(b.text)) {
		if v, err := lifecycle.ParseVersion(strings.TrimSpace(line)); err == nil && b.exit == 0 {
			return v, ""
		}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(b.text)), "\n")
	if first = printable(first); first == "" {
		first = "it says nothing"
	}
	return lifecycle.Version{}, fmt.Sprintf("`k0s version` fails with exit code %d: %s", b.exit, first)
}

// serviceState puts systemd's many states into the five that matter.
func serviceState(active, sub string) lifecycle.ServiceState {
	switch {
	case active == "failed":
		return lifecycle.ServiceFailed
	case active == "activating", strings.HasPrefix(sub, "auto-restart"):
		return lifecycle.ServiceStarting
	case (active == "active" || active == "reloading") && sub != "exited":
		return lifecycle.ServiceRunning
	}
	return lifecycle.ServiceStopped
}

// etcdMembers reads `k0s etcd member-list`.
func etcdMembers(b block) ([]lifecycle.EtcdMember, string) {
	var list struct {
		Members map[string]string `json:"members"`
	}
	i := bytes.IndexByte(b.text, '{')
	if b.exit != 0 || i < 0 || json.NewDecoder(bytes.NewReader(b.text[i:])).Decode(&list) != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(string(b.text)), "\n")
		if first = printable(first); first == "" {
			first = fmt.Sprintf("no answer, exit code %d", b.exit)
		}
		return nil, "`k0s etcd member-list`: " + first
	}
	out := make([]lifecycle.EtcdMember, 0, len(list.Members))
	for name, url := range list.Members {
		out = append(out, lifecycle.EtcdMember{Name: name, PeerAddress: hostOf(url)})
	}
	slices.SortFunc(out, func(a, b lifecycle.EtcdMember) int { return strings.Compare(a.Name, b.Name) })
	return out, ""
}
