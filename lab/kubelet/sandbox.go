package kubelet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"kiban.dev/kiban/lab/images"
)

// PodHeader is in every answer of a serving pod: "namespace/name". It tells a client that it reached the pod it meant.
const PodHeader = "Lab-Pod"

// sandbox is what runs of one pod on its machine, whatever the API server thinks.
type sandbox struct {
	key  string
	uid  types.UID
	node string
	// readyAt is when its start is over. restarts counts the starts before this one.
	readyAt  time.Time
	restarts int32
	// life is how the pod goes from then on.
	life images.Life

	mu        sync.Mutex
	ip        string
	listeners []*http.Server
	// stop ends the programs; nil when none run.
	stop context.CancelFunc
	// ending is when it was asked to end; zero before that.
	ending time.Time
	gone   bool
}

// errKilled says that a sandbox has come to its end; its pod gets another one.
var errKilled = errors.New("the pod was killed")

// open gives the pod its address and begins to listen when it is to. It may be called again.
func (s *sandbox) open(pod *corev1.Pod, hostIP string, pool *addresses, authority *images.Authority) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.gone:
		return errKilled
	case s.ip != "":
		return nil
	}
	serve := opening(pod, authority)
	if pod.Spec.HostNetwork {
		var err error
		if s.listeners, err = serve(hostIP); err == nil {
			s.ip = hostIP
		}
		return err
	}
	for {
		ip, err := pool.take()
		if err != nil {
			return err
		}
		s.listeners, err = serve(ip)
		if err == nil {
			s.ip = ip
			return nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) { // another lab on this computer has it: the address stays taken and the next is tried
			pool.free(ip)
			return err
		}
	}
}

// begin starts what the pod's images do. It may be called again.
func (s *sandbox) begin(ctx context.Context, e images.Env) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.life.Programs) == 0 || s.stop != nil || s.gone || !s.ending.IsZero() {
		return
	}
	ctx, s.stop = context.WithCancel(ctx)
	ip := s.ip
	e.Listen = func(port int32) (net.Listener, error) {
		return net.Listen("tcp", ListeningAt(ip, int(port)))
	}
	for _, program := range s.life.Programs {
		go program(ctx, e)
	}
}

// restartCount is what the API is told of its containers: those that exit whenever they are started have been so a few times.
func (s *sandbox) restartCount() int32 {
	if s.life.Fails != "" {
		return s.restarts + 3
	}
	return s.restarts
}

// well reports whether the pod's containers have come so far that their probes pass.
func (s *sandbox) well() bool { return time.Since(s.readyAt) >= s.life.ReadyAfter }

func closeAll(servers []*http.Server) {
	// What was accepted is answered; there is next to nothing to answer, so this takes no time.
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	for _, s := range servers {
		_ = s.Shutdown(ctx)
	}
}

// deafen stops listening.
func (s *sandbox) deafen() {
	s.mu.Lock()
	servers, stop := s.listeners, s.stop
	s.listeners, s.stop = nil, nil
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
	closeAll(servers)
}

// close ends all of it.
func (s *sandbox) close(pool *addresses) {
	s.deafen()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.gone {
		s.gone = true
		pool.free(s.ip)
	}
}

func (s *sandbox) address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ip
}

// askToEnd notes when the pod was first asked to end, and returns that.
func (s *sandbox) askToEnd(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending.IsZero() {
		s.ending = now
	}
	return s.ending
}

// farewell is how long a pod that was asked to end goes on serving, and how long until it is over. The grace period bounds both.
func farewell(pod *corev1.Pod, linger time.Duration) (serves, lasts time.Duration, err error) {
	grace := 30 * time.Second
	if s := pod.DeletionGracePeriodSeconds; s != nil {
		grace = time.Duration(*s) * time.Second
	}
	if len(ServedPorts(pod)) > 0 {
		serves = defaultDrain
	}
	if v, ok := pod.Annotations[AnnotationDrain]; ok {
		seconds, parseErr := strconv.ParseFloat(v, 64)
		if parseErr != nil {
			return 0, 0, fmt.Errorf("%s: %w", AnnotationDrain, parseErr)
		}
		serves = time.Duration(seconds * float64(time.Second))
	}
	lasts = linger
	if v, ok := pod.Annotations[AnnotationTerminateAfter]; ok {
		if lasts, err = time.ParseDuration(v); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", AnnotationTerminateAfter, err)
		}
	}
	serves = min(serves, grace)
	return serves, min(max(lasts, serves), grace), nil
}
