package k0s

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// etcdCall asks the target's etcd something by its gateway, on the machine itself: there etcd listens, and there are the keys, which stay.
// body is JSON. An error is etcd's own words.
func (t *task) etcdCall(ctx context.Context, path, body string, answer any) error {
	data := t.on.paths.data
	if f, err := t.gatherFacts(ctx, t.on); err != nil {
		return err
	} else if has, ok := f.dataDir(); ok {
		data = has
	}
	q := shellescape.Quote
	out, err := t.on.output(ctx, fmt.Sprintf("curl -sS --noproxy '*' --cacert %s --cert %s --key %s -d %s https://127.0.0.1:2379/v3/%s",
		q(data+"/pki/etcd/ca.crt"), q(data+"/pki/apiserver-etcd-client.crt"), q(data+"/pki/apiserver-etcd-client.key"), q(body), path))
	if err != nil {
		return err
	}
	var said struct {
		Code    int    `json:"code"` // of gRPC, in an error alone
		Message string `json:"message"`
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil || said.Code != 0 {
		if said.Message == "" {
			said.Message = firstLine([]byte(out))
		}
		return lifecycle.Errorf(t.on.host.Name, "etcd refuses %s", path).Because(printable(said.Message)).
			Try(fmt.Sprintf("kiban node logs %s %s", t.site.Name, t.on.host.Name))
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal([]byte(out), answer)
}

// dataDir is the folder that the service has its data in, whatever is declared.
func (f facts) dataDir() (string, bool) {
	for _, a := range f.host.Arguments {
		if dir, ok := strings.CutPrefix(a, "--data-dir="); ok {
			return dir, true
		}
	}
	return "", false
}

// compactEtcd has etcd forget what was before now. Whoever watches objects and is behind by more lists them anew.
func compactEtcd(ctx context.Context, t *task) error {
	var now struct {
		Header struct {
			Revision string `json:"revision"`
		} `json:"header"`
	}
	if err := t.etcdCall(ctx, "maintenance/status", "{}", &now); err != nil {
		return err
	}
	err := t.etcdCall(ctx, "kv/compaction", fmt.Sprintf(`{"revision":%q,"physical":true}`, now.Header.Revision), nil)
	if err != nil && strings.Contains(err.Error(), "has been compacted") {
		return nil
	}
	return err
}

// defragment has the target's member write its file anew.
func defragment(ctx context.Context, t *task) error {
	before, err := t.etcdOf(ctx, t.on.host.Name)
	if err != nil {
		return err
	}
	t.progress("etcd writes its file anew; it has " + before.Room())
	if err := t.etcdCall(ctx, "maintenance/defragment", "{}", nil); err != nil {
		return err
	}
	after, err := t.etcdOf(ctx, t.on.host.Name)
	if err != nil {
		return err
	}
	t.progress("its file has " + after.Room() + " now")
	return nil
}

// etcdOf asks a controller how its etcd is.
func (t *task) etcdOf(ctx context.Context, name string) (*lifecycle.EtcdStatus, error) {
	m, err := t.machine(name)
	if err != nil {
		return nil, err
	}
	f := t.look(ctx, m)
	if err := lifecycle.WhyEnded(ctx); err != nil {
		return nil, err
	}
	if f.host.Etcd.Known() {
		return f.host.Etcd, nil
	}
	why := f.host.Why
	if f.host.Etcd != nil {
		why = f.host.Etcd.Unknown
	}
	return nil, lifecycle.Errorf(name, "how its etcd is is not known").Because(why).Try("kiban status " + t.site.Name)
}

// roomAgain is how much of its quota a member's file may use at most, in percent, for the alarm to be taken back: less room would be used
// up before anybody can act.
const roomAgain = 90

// disarmEtcd takes back the alarms NOSPACE, when every member has room.
func disarmEtcd(ctx context.Context, t *task) error {
	for _, m := range t.controllers() {
		e, err := t.etcdOf(ctx, m.host.Name)
		if err != nil {
			return err
		}
		if e.Quota > 0 && e.Size*100 > e.Quota*roomAgain {
			return lifecycle.Errorf(m.host.Name, "etcd has no room yet, so its alarm NOSPACE stays").
				Because("Its file has " + e.Room() + ", though nothing in it is hollow any more: what is stored is too much.").
				Try(lifecycle.EtcdTooMuch)
		}
	}
	var raised struct {
		Alarms []struct {
			MemberID string `json:"memberID"`
			Alarm    string `json:"alarm"`
		} `json:"alarms"`
	}
	if err := t.etcdCall(ctx, "maintenance/alarm", "{}", &raised); err != nil {
		return err
	}
	for _, a := range raised.Alarms {
		if a.Alarm != lifecycle.EtcdNoSpace {
			continue
		}
		body, err := json.Marshal(map[string]string{"action": "DEACTIVATE", "memberID": a.MemberID, "alarm": a.Alarm})
		if err != nil {
			return err
		}
		if err := t.etcdCall(ctx, "maintenance/alarm", string(body), nil); err != nil {
			return err
		}
	}
	return nil
}
