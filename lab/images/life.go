// Package images says what runs in the lab's simulated pods. Nothing is pulled: a table by image name holds what a few images do, as far as
// it can be seen from the API. All others just run.
package images

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Annotations on pods, and environment variables of containers, that change how they do.
const (
	// AnnotationReadyAfter, or $LAB_READY_AFTER, is for how long the containers run before they are Ready ("20s").
	AnnotationReadyAfter = "lab.kiban.dev/ready-after"
	// AnnotationFails, or $LAB_FAILS, makes the containers exit again and again, with this message.
	AnnotationFails = "lab.kiban.dev/fails"
	// AnnotationWebhookAfter, or $LAB_WEBHOOK_AFTER, is how long after its start an admission webhook begins to listen (2 s).
	AnnotationWebhookAfter = "lab.kiban.dev/webhook-after"
)

// Images of the lab's own charts.
const (
	imageFails   = "lab.kiban.dev/fails"   // never runs; the tag says nothing
	imageMissing = "lab.kiban.dev/missing" // is in no registry, so that its pods stay Pending
	imageSlow    = "lab.kiban.dev/slow"    // :20 is Ready after 20 s
	imageWebhook = "lab.kiban.dev/webhook" // an admission webhook; see webhook.go
	imageMetalLB = "quay.io/metallb/controller"
	imageAgnhost = "registry.k8s.io/e2e-test-images/agnhost"
)

// jobLasts is how long containers run that are to end by themselves.
const jobLasts = time.Second

// Life is how a pod goes, once it has started.
type Life struct {
	// Fails is why its containers exit at once, for ever. Empty: they do not.
	Fails string
	// Missing is an image of it that can't be had. Empty: all can.
	Missing string
	// ReadyAfter is for how long they run before they are Ready.
	ReadyAfter time.Duration
	// Exit, unless nil, is asked how they end: they do so after EndsAfter. Code 0 is success.
	Exit      func(context.Context, kubernetes.Interface) (code int32, message string)
	EndsAfter time.Duration
	// Programs run while the pod does.
	Programs []Program
}

// Program does something in the cluster until ctx ends. It tries again by itself when the API does not answer.
type Program func(ctx context.Context, e Env)

// Env is where a program runs.
type Env struct {
	// Config and Client are the lab's own way into the cluster.
	Config *rest.Config
	Client kubernetes.Interface
	// Authority is that of the webhooks of pods with AnnotationWebhook.
	Authority *Authority
	Pod       *corev1.Pod
	// Listen opens a port of the pod's address.
	Listen func(port int32) (net.Listener, error)
	Log    *slog.Logger
}

// Of says how a pod goes, by its images, its annotations and its containers' environment.
func Of(pod *corev1.Pod) Life {
	l := Life{Fails: said(pod, AnnotationFails, "LAB_FAILS"), ReadyAfter: duration(said(pod, AnnotationReadyAfter, "LAB_READY_AFTER"), 0)}
	if pod.Spec.RestartPolicy == corev1.RestartPolicyNever || pod.Spec.RestartPolicy == corev1.RestartPolicyOnFailure {
		l.Exit, l.EndsAfter = func(context.Context, kubernetes.Interface) (int32, string) { return 0, "" }, jobLasts
	}
	hooks := Webhooks(pod)
	if len(hooks) > 0 {
		l.Programs = append(l.Programs, authorityProgram(hooks))
	}
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		repository, tag := split(c.Image)
		switch repository {
		case imageFails:
			if l.Fails == "" {
				l.Fails = fmt.Sprintf("%s cannot start: it is made to fail", c.Image)
			}
		case imageMissing:
			l.Missing = c.Image
		case imageSlow:
			l.ReadyAfter = max(l.ReadyAfter, duration(tag+"s", 0))
		case imageWebhook:
			if len(hooks) > 0 { // the pod answers already
				continue
			}
			l.Programs = append(l.Programs, webhookProgram(c))
		case imageMetalLB:
			l.Programs = append(l.Programs, metalLBAddresses(c))
			if len(hooks) == 0 {
				l.Programs = append(l.Programs, metalLBWebhooks(c))
			}
		case imageAgnhost:
			if name, ok := lookedUp(c); ok {
				l.Exit = func(ctx context.Context, client kubernetes.Interface) (int32, string) {
					return nslookup(ctx, client, pod.Namespace, name)
				}
			}
		}
	}
	if l.Exit != nil && l.EndsAfter == 0 { // a command that ends, in a pod that starts it again: left running
		l.Exit = nil
	}
	return l
}

// split separates an image's repository from its tag; a digest is left out.
func split(image string) (repository, tag string) {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		return image[:i], image[i+1:]
	}
	return image, ""
}

// said is what the pod's annotation says, or the variable of a container of it.
func said(pod *corev1.Pod, annotation, variable string) string {
	if v := pod.Annotations[annotation]; v != "" {
		return v
	}
	for _, c := range pod.Spec.Containers {
		if v := env(c, variable); v != "" {
			return v
		}
	}
	return ""
}

func env(c corev1.Container, name string) string {
	for _, v := range c.Env {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

// duration reads "20s" or "20"; what is neither is the default.
func duration(s string, otherwise time.Duration) time.Duration {
	if d, err := time.ParseDuration(s); err == nil {
		return d
	}
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		return time.Duration(seconds * float64(time.Second))
	}
	return otherwise
}

// pause waits, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// insist does something until it has no error or ctx ends.
func insist(ctx context.Context, e Env, what string, do func() error) bool {
	for {
		err := do()
		if err == nil {
			return true
		}
		e.Log.Debug(what+" failed", "pod", e.Pod.Name, "error", err)
		if !pause(ctx, 500*time.Millisecond) {
			return false
		}
	}
}
