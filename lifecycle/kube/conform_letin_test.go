package kube

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// letIn: pods by chance are made in namespaces by chance, and made anew in others, all by dry runs: the API refuses those that kiban says
// it would, and in these words.
func (s *stage) letIn(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	server, err := s.client.api.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	minor, err := strconv.Atoi(strings.TrimRight(server.Minor, "+"))
	if err != nil {
		t.Fatal(err)
	}
	var rooms []string // a pod runs in one of the first four, and is made anew in any
	for i := range 8 {
		rooms = append(rooms, s.room(t, i, r))
	}
	l, err := s.client.letIn(t.Context(), lifecycle.PodAdmission{})
	if err != nil {
		t.Fatal(err)
	}
	labels, err := s.client.namespaceLabels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	judged, refused, by := 0, 0, map[lifecycle.RefusedBy]int{}
	for range 60 {
		text := podByChance(r)
		for _, then := range rooms[:4] {
			p := fromYAML[corev1.Pod](t, text)
			running, err := s.client.api.CoreV1().Pods(then).Create(t.Context(), &p, dryRun())
			if err != nil {
				continue // it never ran there
			}
			for _, now := range rooms {
				judged++
				p := running.DeepCopy()
				p.Namespace = now
				var said []lifecycle.Refusal
				for _, why := range l.refusals(p, &metav1.OwnerReference{Kind: "ReplicaSet"}, labels[now]) {
					if minor >= why.Since && (why.Until == 0 || minor < why.Until) {
						said = append(said, why)
					}
				}
				l.security.judged = map[string][]lifecycle.Refusal{} // they are of no controller whose pods are alike
				if s.judgedAlike(t, said, text, now, by) {
					refused++
				}
			}
		}
	}
	t.Logf("v1.%d: %d pods were made anew, %d of them refused: %v", minor, judged, refused, by)
	if refused < 50 || judged-refused < 50 || len(by) < 3 {
		t.Errorf("too few to tell: %d of %d, %v", refused, judged, by)
	}
}

func dryRun() metav1.CreateOptions { return metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}} }

// judgedAlike holds what kiban says of a pod that is made anew in a namespace against what the API does with its template.
func (s *stage) judgedAlike(t *testing.T, said []lifecycle.Refusal, text, namespace string, by map[lifecycle.RefusedBy]int) bool {
	t.Helper()
	template := fromYAML[corev1.Pod](t, text)
	_, err := s.client.api.CoreV1().Pods(namespace).Create(t.Context(), &template, dryRun())
	switch {
	case (err != nil) != (len(said) > 0):
		t.Errorf("in %s:\n%s\nkiban: %+v\nAPI: %v", namespace, text, said, err)
	case err != nil:
		at := slices.IndexFunc(said, func(why lifecycle.Refusal) bool {
			return slices.ContainsFunc(strings.Split(why.Why, "; "), func(part string) bool { return strings.Contains(err.Error(), part) })
		})
		if at < 0 {
			t.Errorf("other words: kiban %+v\nAPI: %v", said, err)
			return true
		}
		by[said[at].By]++
	}
	return err != nil
}

// room is a namespace by chance: each with a level, a LimitRange or a quota, or some of these; the first with none.
func (s *stage) room(t *testing.T, i int, r *rand.Rand) string {
	t.Helper()
	name := fmt.Sprintf("%s-%d", s.namespace, i)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}}}
	if i > 0 && r.IntN(2) == 0 {
		ns.Labels["pod-security.kubernetes.io/enforce"] = []string{"baseline", "restricted", "privileged"}[r.IntN(3)]
		if r.IntN(2) == 0 {
			ns.Labels["pod-security.kubernetes.io/enforce-version"] = []string{"v1.24", "v1.30", "v1.34", "latest"}[r.IntN(4)]
		}
	}
	if _, err := s.client.api.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.client.api.CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{})
	})
	if i > 0 && r.IntN(2) == 0 {
		limits := fromYAML[corev1.LimitRange](t, "metadata: {name: sizes}\nspec: {limits: [{"+[]string{
			"type: Container, default: {cpu: 500m, memory: 128Mi}, defaultRequest: {cpu: 100m, memory: 64Mi}",
			"type: Container, min: {cpu: 100m}, max: {cpu: '1'}, defaultRequest: {cpu: 200m}",
			"type: Container, max: {memory: 256Mi}, maxLimitRequestRatio: {cpu: '4'}",
			"type: Pod, max: {cpu: '1', memory: 1Gi}"}[r.IntN(4)]+"}]}")
		if _, err := s.client.api.CoreV1().LimitRanges(name).Create(t.Context(), &limits, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if i > 3 {
		quota := fromYAML[corev1.ResourceQuota](t, "metadata: {name: compute}\nspec: "+[]string{
			"{hard: {requests.cpu: '100', limits.memory: 100Gi}}", "{hard: {cpu: '100'}, scopes: [NotBestEffort]}",
			"{hard: {limits.cpu: '100', pods: '100'}}", "{hard: {pods: '100', requests.ephemeral-storage: 1Ti}}"}[r.IntN(4)])
		if _, err := s.client.api.CoreV1().ResourceQuotas(name).Create(t.Context(), &quota, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	s.eventually(t, "namespace "+name, func() string { // a service account for its pods, and that its quota is counted
		if _, err := s.client.api.CoreV1().ServiceAccounts(name).Get(t.Context(), "default", metav1.GetOptions{}); err != nil {
			return err.Error()
		}
		quotas, err := s.client.api.CoreV1().ResourceQuotas(name).List(t.Context(), metav1.ListOptions{})
		if err != nil || i > 3 && (len(quotas.Items) != 1 || len(quotas.Items[0].Status.Hard) == 0) {
			return fmt.Sprintf("%d quotas, %v", len(quotas.Items), err)
		}
		return ""
	})
	return name
}

// podByChance is a pod that says some of what it asks for, and may do some of what levels of Pod Security refuse.
func podByChance(r *rand.Rand) string {
	some := func(of ...string) string {
		var out []string
		for _, o := range of {
			if r.IntN(2) == 0 {
				out = append(out, o)
			}
		}
		return strings.Join(out, ", ")
	}
	requests := some([]string{"cpu: 50m", "cpu: 100m", "cpu: 400m"}[r.IntN(3)], []string{"memory: 64Mi", "memory: 200Mi"}[r.IntN(2)])
	limits := some([]string{"cpu: 500m", "cpu: '2'"}[r.IntN(2)], []string{"memory: 256Mi", "memory: 2Gi"}[r.IntN(2)])
	spec := some("hostNetwork: true", "restartPolicy: Always", "volumes: [{name: h, hostPath: {path: /}}]",
		"securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}")
	container := some("securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}",
		[]string{"livenessProbe: {httpGet: {host: a.example, port: 80}}", "readinessProbe: {httpGet: {port: 80}}"}[r.IntN(2)])
	parts := []string{"name: a", "image: registry.example/a:1", fmt.Sprintf("resources: {requests: {%s}, limits: {%s}}", requests, limits)}
	if container != "" {
		parts = append(parts, container)
	}
	all := []string{"containers: [{" + strings.Join(parts, ", ") + "}]"}
	if r.IntN(4) == 0 {
		all = append(all, "initContainers: [{name: i, image: registry.example/i:1}]")
	}
	if spec != "" && r.IntN(3) == 0 {
		all = append(all, spec)
	}
	return "metadata: {name: anew}\nspec: {" + strings.Join(all, ", ") + "}"
}
