package k0s

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// What a look into an audit log may take: time, events from its end, and bytes of answer. The baseline keeps a GB a controller; grep reads
// that in seconds.
const (
	auditWithin = 2 * time.Minute
	auditEvents = 3000
	auditAnswer = 12 << 20
	// mostCalls is how many kinds of calls are told of.
	mostCalls = 200
)

// AuditCalls looks into the audit log of each controller that is declared to write one, side by side, for requests that the API server has
// marked as deprecated. It reads, and changes nothing: one command a controller.
func (s *Session) AuditCalls(ctx context.Context) []lifecycle.From[[]lifecycle.APICall] {
	var asked []*machine
	for _, m := range s.controllers() {
		if s.site.AuditLog(m.host) != "" {
			asked = append(asked, m)
		}
	}
	out := make([]lifecycle.From[[]lifecycle.APICall], len(asked))
	var wg sync.WaitGroup
	for i, m := range asked {
		wg.Go(func() {
			out[i].Name = m.host.Name
			calls, err := s.auditOf(ctx, m, s.site.AuditLog(m.host))
			out[i].Value = calls
			if err != nil {
				out[i].Unknown = err.Error()
			}
		})
	}
	wg.Wait()
	return out
}

func (s *Session) auditOf(ctx context.Context, m *machine, file string) ([]lifecycle.APICall, error) {
	if !lifecycle.IsPlainPath(file) {
		return nil, fmt.Errorf("%s is no plain path of a file", printable(file))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, auditWithin, fmt.Errorf("it did not answer within %s", auditWithin))
	defer cancel()
	if err := m.connect(ctx); err != nil {
		_, why := unreachable(err, m.ssh, s.site.SSH.KnownHosts)
		return nil, fmt.Errorf("%s", why)
	}
	stdout, stderr := &answer{limit: auditAnswer}, &answer{limit: 4096}
	script := shellescape.Quote(auditScript(file))
	w, err := m.start(ctx, `if [ "$(id -u)" = 0 ]; then sh -c `+script+`; else sudo -n -- sh -c `+script+`; fi`, nil, stdout, stderr)
	if err == nil {
		err = w.Wait()
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, fmt.Errorf("%s", cmp.Or(printable(string(stderr.bytes())), err.Error()))
	}
	return readAudit(stdout.bytes()), nil
}

// auditScript prints the last events of deprecated requests, without the objects in them, which may be secret and have megabytes. Files
// that were rotated carry a time before the ending.
func auditScript(file string) string {
	q, ending := shellescape.Quote, path.Ext(file)
	rotated := q(strings.TrimSuffix(file, ending)) + "-*" + q(ending)
	return fmt.Sprintf(`[ -r %[1]s ] || { echo 'there is no file %[2]s, or it can not be read' >&2; exit 1; }
timeout 100 grep -h -s -F '"k8s.io/deprecated":"true"' %[3]s %[1]s |
sed -e 's/,"requestObject":.*,"requestReceivedTimestamp":/,"requestReceivedTimestamp":/' `+
		`-e 's/,"responseObject":.*,"requestReceivedTimestamp":/,"requestReceivedTimestamp":/' |
cut -c1-4000 | tail -n %[4]d`, q(file), file, rotated, auditEvents)
}

// auditEvent is as much of an audit event as is looked at (audit.k8s.io/v1 Event).
type auditEvent struct {
	Verb, UserAgent string
	User            struct{ Username string }
	ObjectRef       struct {
		Resource, Subresource, Namespace, APIGroup, APIVersion string
	}
	StageTimestamp time.Time
	Annotations    map[string]string
}

// readAudit sums events up: of each user, agent, verb, API and namespace the last. Lines that can't be read, such as one that was cut, are
// passed over: what they tell is told by the API server's own count, too.
func readAudit(b []byte) []lifecycle.APICall {
	type key struct{ user, agent, verb, group, version, resource, namespace string }
	all := map[key]*lifecycle.APICall{}
	for line := range strings.Lines(string(b)) {
		var e auditEvent
		if json.Unmarshal([]byte(line), &e) != nil || e.Annotations["k8s.io/deprecated"] != "true" || e.ObjectRef.Resource == "" {
			continue
		}
		if isControlPlane(e.User.Username) {
			continue
		}
		o := e.ObjectRef
		k := key{e.User.Username, e.UserAgent, e.Verb, o.APIGroup, o.APIVersion, o.Resource, o.Namespace}
		c := all[k]
		if c == nil {
			if len(all) >= mostCalls {
				continue
			}
			c = &lifecycle.APICall{Group: printable(o.APIGroup), Version: printable(o.APIVersion), Resource: printable(o.Resource),
				Namespace: printable(o.Namespace), User: printable(e.User.Username), Agent: printable(e.UserAgent), Verb: printable(e.Verb),
				Removed: printable(e.Annotations["k8s.io/removed-release"])}
			all[k] = c
		}
		c.Count++
		if e.StageTimestamp.After(c.Last) {
			c.Last = e.StageTimestamp
		}
	}
	var out []lifecycle.APICall
	for _, c := range all {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b lifecycle.APICall) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.User, b.User), cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Verb, b.Verb),
			cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Namespace, b.Namespace))
	})
	return out
}

// isControlPlane reports whether a user comes and goes with the version itself.
func isControlPlane(user string) bool {
	switch user {
	case "system:apiserver", "system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy":
		return true
	}
	return strings.HasPrefix(user, "system:node:") || strings.HasPrefix(user, "system:serviceaccount:kube-system:") &&
		strings.HasSuffix(user, "-controller")
}
