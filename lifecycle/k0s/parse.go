package k0s

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// facts is what one run of the facts script said. Secrets stay in it: a State gets none of them.
type facts struct {
	asked question
	host  lifecycle.HostState
	// uid and shell are whom the machine let in, and that user's login shell; both "" where it ran something else than it was asked to.
	uid, shell string
	// clock is the host's time when the script began; zero when it said none.
	clock time.Time
	// tokenFile is the join token's path in the unit; "" when the host did not join with one.
	tokenFile string
	// credentials are what a controller of the site gave; a worker gives none, whatever it says.
	credentials lifecycle.Credentials
	// etcd is the member list of this controller's etcd; etcdProblem says why there is none. Both empty: no etcd here.
	etcd        []lifecycle.EtcdMember
	etcdProblem string
}

// question is a host that was asked for its facts, as what the site declares it to be.
type question struct {
	host  lifecycle.Host
	paths paths
	// nonce frames the answer.
	nonce string
}

// controls reports whether the host is a controller that is to stay: only such a one is asked for credentials, whatever runs on it.
func (q question) controls() bool { return q.host.Role.IsController() && !q.host.Reset }

// parseFacts reads the output of the facts script. It never fails: what does not make sense becomes the host's problem.
func parseFacts(out []byte, q question) facts {
	raw, err := unframe(out, q.nonce, len(q.host.Files))
	f := facts{asked: q, uid: short(raw.value("uid")), shell: raw.value("shell")}
	problem := func(why string) facts {
		return facts{uid: f.uid, shell: f.shell, host: lifecycle.HostState{Problem: lifecycle.HostFacts, Why: why}}
	}
	switch {
	case err != nil:
		return problem(err.Error())
	case raw.value("facts") != "1":
		return problem("it answered, but not with facts")
	case raw.value("done") != "1":
		return problem("its answer broke off")
	case raw.value("systemd") == "none":
		return problem("it has no systemd, which kiban needs to run k0s as a service")
	}
	f.machine(raw)
	if err := f.installed(raw); err != nil {
		return problem(err.Error())
	}
	f.service(raw)
	f.files(raw)
	return f
}

func (f *facts) machine(raw frames) {
	h := &f.host
	h.Hostname = short(strings.ToLower(raw.value("hostname")))
	h.Kernel = short(raw.value("kernel"))
	h.BootID = short(raw.value("boot"))
	h.Epoch = lockEpoch(raw.value("epoch"))
	h.Arch = goArch(raw.value("machine"))
	h.OS = osName(raw.block("os"))
	h.CgroupV1 = raw.value("cgroup") == "1"
	h.MemoryBytes, h.SwapBytes = memory(raw.value("memory"))
	h.FreeBytes = freeBytes(raw.blocks["free"])
	h.Full = fullOnes(raw.block("free"), raw.block("room"))
	if s, err := strconv.ParseInt(raw.value("clock"), 10, 64); err == nil {
		f.clock = time.Unix(s, 0)
	}
}

func (f *facts) installed(raw frames) error {
	h := &f.host
	if b, ok := raw.blocks["version"]; ok {
		if b.exit == timedOut || b.exit == killed {
			return errors.New(tooSlow(raw))
		}
		h.Binary, h.BinaryProblem = binaryVersion(b)
	}
	for _, name := range raw.values["staged"] {
		if v, err := lifecycle.ParseVersion(name); err == nil {
			h.Staged = append(h.Staged, v)
		}
	}
	slices.SortFunc(h.Staged, lifecycle.Version.Compare)
	if b, ok := raw.blocks["ran"]; ok {
		h.Ran, h.RanKnown = ranSince(string(b.text))
	}
	for _, name := range raw.values["former"] {
		if v, err := lifecycle.ParseVersion(name); err == nil && h.Former.Less(v) {
			h.Former = v
		}
	}
	// JSON has no year of five digits.
	if s, err := strconv.ParseInt(raw.value("kept"), 10, 64); err == nil && s > 0 && s < 1<<37 {
		h.Kept = time.Unix(s, 0).UTC()
	}
	h.HalfKept = raw.value("halfkept") == "1"
	switch h.ServiceName = raw.value("unit"); h.ServiceName {
	case "":
		return nil
	case "k0scontroller", "k0sworker":
	default:
		return fmt.Errorf("it has a service %q, which is none of k0s", short(h.ServiceName))
	}
	h.Certificates = certificates(raw.block("certificates"))
	u := parseUnit(string(raw.block("unitfile")))
	if len(u.arguments) > maxArguments {
		return tooMuch{fmt.Sprintf("a service with more than %d arguments", maxArguments)}
	}
	h.Program, h.Arguments, f.tokenFile = short(u.program), u.arguments, u.tokenFile
	if sum := raw.value("environment"); sum != "" {
		h.Environment = digestOnly(lifecycle.DigestFromHex(sum))
	}
	return nil
}

func (f *facts) service(raw frames) {
	h := &f.host
	h.Service = lifecycle.ServiceAbsent
	if h.ServiceName == "" {
		return
	}
	p := properties(raw.block("service"))
	h.Service = serviceState(p["ActiveState"], p["SubState"])
	if n, err := strconv.Atoi(p["NRestarts"]); err == nil && n > 0 {
		h.Restarts = n
	}
	if h.Service == lifecycle.ServiceRunning {
		h.Run = invocation(p["InvocationID"])
		h.ServiceSince = startedAt(p, raw.value("uptime"), f.clock)
		h.KeptBefore = !h.Kept.IsZero() && h.ServiceSince.After(h.Kept)
		if before := invocation(raw.value("keptrun")); before != "" && h.Run != "" {
			h.KeptBefore = !h.Kept.IsZero() && h.Run != before
		}
	}
	f.status(raw.block("status"))
	if h.Service == lifecycle.ServiceStopping {
		h.Running = lifecycle.Version{} // it answers for the last time
	}
	if h.Service == lifecycle.ServiceRunning && h.ServiceName == "k0scontroller" {
		f.controlPlane(raw)
	}
}

// clockSlack is how far two ways to tell one moment may be apart while the clock was not set: times have whole seconds, and are read one
// after the other.
const clockSlack = 5 * time.Second

// startedAt is when the service became active, by the machine's clock as it is now. systemd notes the time by the clock as it was then, and
// by the one that nobody sets: where the two differ, the clock was set since, and the second counts. A machine that does not tell its
// uptime, or a smaller one than its systemd goes by, as some containers do, has only the first.
func startedAt(p map[string]string, uptime string, now time.Time) time.Time {
	noted, _ := time.Parse("Mon 2006-01-02 15:04:05 MST", p["ActiveEnterTimestamp"])
	up, err := strconv.ParseFloat(uptime, 64)
	entered, err2 := strconv.ParseFloat(p["ActiveEnterTimestampMonotonic"], 64)
	age := up - entered/1e6
	if err != nil || err2 != nil || noted.IsZero() || now.IsZero() || entered <= 0 || !(age >= 0 && age < 1e9) {
		return noted
	}
	if at := now.Add(-time.Duration(age * float64(time.Second))); at.Sub(noted).Abs() > clockSlack {
		return at.UTC().Truncate(time.Second)
	}
	return noted
}

// invocation is systemd's name for a start of a service, if it is one.
func invocation(id string) string {
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != 16 {
		return ""
	}
	return id
}

// controlPlane takes what a running controller has of its cluster: credentials and etcd's members. A machine that the site declares as
// anything else has neither, whatever service runs on it.
func (f *facts) controlPlane(raw frames) {
	if b, ok := raw.blocks["kubeconfig"]; ok && f.asked.controls() {
		var err error
		if f.credentials, err = credentialsOf(b.text); err != nil {
			f.host.Doubts = append(f.host.Doubts, doubtful(f.asked.host.Name, f.asked.paths, err))
		}
	}
	if b, ok := raw.blocks["etcd"]; ok && f.asked.host.Role.IsController() {
		f.etcd, f.etcdProblem = etcdMembers(b)
	}
	if b, ok := raw.blocks["acts"]; ok && f.asked.host.Role.IsController() {
		f.host.Acts = actsAs(string(b.text))
	}
	if b, ok := raw.blocks["etcdsays"]; ok && f.asked.host.Role.IsController() {
		f.host.Etcd = etcdStatus(b.text, f.clock)
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
		f.host.Running, f.host.K0sRole, f.host.Workloads = v, short(s.Role), s.Workloads
	}
}

func (f *facts) files(raw frames) {
	h := &f.host
	h.Data = raw.value("data") == "1"
	h.Token = raw.value("token") == "1"
	h.Spent = raw.value("spent") == "1" && h.ServiceName == "k0sworker"
	h.Files = fileStates(raw.values["file"], f.asked.host.Files)
	h.DropIns = dropIns(raw.values["dropin"])
	h.Restored, h.Server = digestOnly(raw.value("restored")), plainURL(raw.value("server"))
	if b, ok := raw.blocks["config"]; ok {
		h.Config, h.ConfigDigest = configuration(b.text, f.asked.host.Role)
		h.PinHeld = raw.value("pinheld") == "1" && f.asked.host.Role.IsController() && lifecycle.Emulated(h.Config) != ""
	}
}

// actsAs reads which release controller manager and scheduler act as: a line of each one's metrics, behind its name.
func actsAs(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		name, metric, _ := strings.Cut(line, " ")
		_, rest, ok := strings.Cut(metric, `emulation="`)
		minor, _, closed := strings.Cut(rest, `"`)
		known := name == "kube-controller-manager" || name == "kube-scheduler"
		if v, _, err := lifecycle.ParseTarget("v" + minor); known && ok && closed && err == nil {
			out[name] = lifecycle.EmulatedMinor(v)
		}
	}
	return out
}

// fileStates reads what the script says of declared files: digest, mode, ids and names of owner and group, path.
func fileStates(lines []string, declared []lifecycle.HostFile) []lifecycle.FileState {
	var out []lifecycle.FileState
	for _, line := range lines {
		p := strings.SplitN(line, " ", 7)
		if len(p) != 7 || len(p[0]) != 64 ||
			!slices.ContainsFunc(declared, func(f lifecycle.HostFile) bool { return f.Path == p[6] }) {
			continue // unreadable, or gone meanwhile: as if it were not there
		}
		f := lifecycle.FileState{Digest: digestOnly(lifecycle.DigestFromHex(p[0])), Mode: fmt.Sprintf("%04s", p[1]), Owner: p[4],
			Group: p[5], Path: p[6]}
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

// timedOut is the exit code of timeout(1) for a command that it has ended.
const timedOut = 124

// killed is that of one that did not end by that.
const killed = 137

// tooSlow says that `k0s version` took longer than the script waits for it. Which version is installed is then not known, and nothing is
// wrong with the binary as far as anybody can tell.
func tooSlow(raw frames) string {
	why := "`k0s version` did not answer within kiban's time-out"
	if n, err := strconv.Atoi(raw.value("patience")); err == nil {
		why += fmt.Sprintf(" of %d s", n)
	}
	load, cpus, _ := strings.Cut(raw.value("load"), " ")
	if _, err := strconv.ParseFloat(load, 64); err == nil {
		if n, err := strconv.Atoi(cpus); err == nil {
			why += fmt.Sprintf("; the machine's load is %s, with %s", load, lifecycle.Count(n, "processor"))
		}
	}
	return why
}

// dropIns reads what the script says of containerd's files: digest, form, path.
func dropIns(lines []string) []lifecycle.DropIn {
	var out []lifecycle.DropIn
	for _, line := range lines {
		p := strings.SplitN(line, " ", 3)
		if len(p) != 3 || len(p[0]) != 64 {
			continue // unreadable, or gone meanwhile
		}
		file := path.Join(path.Dir(lifecycle.ContainerdConfig), p[2])
		form, err := strconv.Atoi(p[1])
		if err != nil || form < 0 || !lifecycle.ReadByContainerd(file) {
			continue
		}
		out = append(out, lifecycle.DropIn{Path: short(file), Digest: digestOnly(lifecycle.DigestFromHex(p[0])), Form: form})
	}
	slices.SortFunc(out, func(a, b lifecycle.DropIn) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// binaryVersion finds the version in what `k0s version` said, or says why there is none.
func binaryVersion(b block) (lifecycle.Version, string) {
	for line := range strings.Lines(string(b.text)) {
		if v, err := lifecycle.ParseVersion(strings.TrimSpace(line)); err == nil && b.exit == 0 {
			return v, ""
		}
	}
	first := firstLine(b.text)
	if first == "" {
		first = "it says nothing"
	}
	return lifecycle.Version{}, fmt.Sprintf("`k0s version` fails with exit code %d: %s", b.exit, first)
}

// serviceState puts systemd's many states into the six that matter.
func serviceState(active, sub string) lifecycle.ServiceState {
	switch {
	case active == "failed":
		return lifecycle.ServiceFailed
	case active == "activating", strings.HasPrefix(sub, "auto-restart"):
		return lifecycle.ServiceStarting
	case active == "deactivating":
		return lifecycle.ServiceStopping
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
		first := firstLine(b.text)
		switch {
		case b.exit == timedOut || b.exit == killed:
			first = "it did not answer within kiban's time-out"
		case first == "":
			first = fmt.Sprintf("no answer, exit code %d", b.exit)
		}
		return nil, "`k0s etcd member-list`: " + first
	}
	if len(list.Members) > maxMembers {
		return nil, fmt.Sprintf("`k0s etcd member-list` names more than %d members", maxMembers)
	}
	out := make([]lifecycle.EtcdMember, 0, len(list.Members))
	for name, url := range list.Members {
		out = append(out, lifecycle.EtcdMember{Name: short(name), PeerAddress: hostOf(url)})
	}
	slices.SortFunc(out, func(a, b lifecycle.EtcdMember) int { return strings.Compare(a.Name, b.Name) })
	return out, ""
}

// memory reads how much of it there is, and of swap: kibibytes, as /proc/meminfo has them. Zero: it does not tell.
func memory(said string) (total, swap int64) {
	have, more, _ := strings.Cut(said, " ")
	total, err := strconv.ParseInt(have, 10, 54)
	if err != nil || total < 0 {
		return 0, 0
	}
	if swap, err = strconv.ParseInt(more, 10, 54); err != nil || swap < 0 {
		swap = 0
	}
	return total << 10, swap << 10
}
