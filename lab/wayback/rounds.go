package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// tally is what the switches came to.
type tally struct {
	switches, killed, kills int
	views, missing, changed int
	verdict
	took []time.Duration
}

// journey takes a plane forth and back while writers write.
type journey struct {
	*plane
	*writers
	cfg *rest.Config
	rng *rand.Rand
	tally
	say io.Writer
}

// calm takes away what may differ once, for a release's first start adds rules to its own roles.
func calm(changed map[string][]string, first bool) {
	maps.DeleteFunc(changed, func(k string, _ []string) bool { return first && strings.HasPrefix(k, "rbac.authorization.k8s.io/") })
}

// leg lets the writers write for a while, now and then under a kill of the API server, then switches to the other form: in good
// order or by SIGKILL, with the writers at rest, so that every view can be compared, or under way.
func (j *journey) leg(ctx context.Context, to form) error {
	first := j.switches == 0
	time.Sleep(time.Duration(1000+j.rng.IntN(3000)) * time.Millisecond)
	if j.rng.IntN(3) == 0 {
		j.kills++
		if err := j.kill("kube-apiserver"); err != nil {
			return err
		}
		time.Sleep(time.Duration(j.rng.IntN(1500)) * time.Millisecond)
		if err := j.plane.ready(); err != nil {
			return err
		}
	}
	kill := j.rng.IntN(2) == 0
	if kill {
		j.killed++
	}
	j.switches++
	if j.rng.IntN(3) == 0 {
		if err := j.turn(to, kill); err != nil {
			return err
		}
		j.pause.Lock()
		defer j.pause.Unlock()
		return j.look(ctx)
	}
	j.pause.Lock()
	defer j.pause.Unlock()
	if err := j.look(ctx); err != nil {
		return err
	}
	before, err := j.settled(ctx)
	if err != nil {
		return err
	}
	if err := j.turn(to, kill); err != nil {
		return err
	}
	after, err := j.settled(ctx)
	if err != nil {
		return err
	}
	missing, changed, err := differences(before, after)
	if err != nil {
		return err
	}
	calm(changed, first)
	j.views, j.missing, j.changed = j.views+len(before), j.missing+len(missing), j.changed+len(changed)
	j.differ(missing, changed)
	return j.look(ctx)
}

// differ tells what is missing, and in which fields objects are otherwise.
func (j *journey) differ(missing []string, changed map[string][]string) {
	for _, key := range missing {
		j.tell("switch %d: %s is missing", j.switches, key)
	}
	for _, key := range slices.Sorted(maps.Keys(changed)) {
		j.tell("switch %d: %s is otherwise, before and after:\n  %s", j.switches, key, strings.Join(changed[key], "\n  "))
	}
}

// turn ends what runs and starts the other form.
func (j *journey) turn(to form, kill bool) error {
	if err := j.stop(kill); err != nil {
		return err
	}
	took, err := j.start(to)
	j.took = append(j.took, took)
	if err != nil {
		return err
	}
	fmt.Fprintf(j.say, "switch %d: the %s release is ready after %s; %d writes acknowledged\n", j.switches, to.name,
		took.Round(10*time.Millisecond), j.count())
	return nil
}

// look holds what is there against what was acknowledged, while nobody writes.
func (j *journey) look(ctx context.Context) error {
	seen, err := j.seen(ctx)
	if err != nil {
		return err
	}
	v, texts := j.judge(seen)
	v.Lost, v.Stale, v.Wrong = v.Lost+j.Lost, v.Stale+j.Stale, v.Wrong+j.Wrong
	j.verdict = v
	for _, text := range texts {
		j.tell("switch %d: %s", j.switches, text)
	}
	return nil
}

func (j *journey) tell(format string, args ...any) {
	fmt.Fprintf(j.say, format+"\n", args...)
}

// settled are the views once the controllers lead and have nothing more to do, and no longer than two minutes later. Those that do not lead
// yet change nothing, and that is no rest.
func (j *journey) settled(ctx context.Context) (map[string]string, error) {
	end := time.Now().Add(2 * time.Minute)
	if err := j.led(ctx, end); err != nil {
		return nil, err
	}
	var last map[string]string
	for same := 0; ; {
		now, err := views(ctx, j.cfg)
		if err != nil {
			return nil, err
		}
		if same++; !maps.Equal(last, now) {
			same = 0
		}
		if same == 2 || time.Now().After(end) {
			return now, nil
		}
		last = now
		time.Sleep(time.Second)
	}
}

// led waits until the controller manager has renewed its lease, and no longer than to the end.
func (j *journey) led(ctx context.Context, end time.Time) error {
	client, err := kubernetes.NewForConfig(j.cfg)
	if err != nil {
		return err
	}
	var first *metav1.MicroTime
	for time.Now().Before(end) {
		l, err := client.CoordinationV1().Leases("kube-system").Get(ctx, "kube-controller-manager", metav1.GetOptions{})
		switch {
		case err != nil:
			return err
		case first == nil:
			first = l.Spec.RenewTime
		case !first.Equal(l.Spec.RenewTime):
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}
