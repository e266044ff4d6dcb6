package kube

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/apis/apiserver"
	podsecurityconfig "k8s.io/pod-security-admission/admission/api"
	podsecurityscheme "k8s.io/pod-security-admission/admission/api/scheme"
	podsecurity "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"kiban.dev/kiban/lifecycle"
)

// podSecurity judges pods as the API server's admission plugin of that name does, with the plugin's own checks.
type podSecurity struct {
	checks   policy.Evaluator
	defaults podsecurity.Policy
	exempt   podsecurityconfig.PodSecurityExemptions
	// unknown: how a namespace is judged that asks for no level is not known.
	unknown bool
	// minors are those of the API server in which a check begins or changes, and one before.
	minors []int
	// judged has what was said of a pod of each revision of a controller.
	judged map[string][]lifecycle.Refusal
}

// oldestMinor stands for all that came before: kiban knows no k0s of older ones.
const oldestMinor = 30

// newPodSecurity is nil where the plugin is switched off.
func newPodSecurity(how lifecycle.PodAdmission) (*podSecurity, error) {
	if slices.Contains(how.Off, "PodSecurity") {
		return nil, nil
	}
	all := policy.DefaultChecks()
	checks, err := policy.NewEvaluator(all, nil)
	if err != nil {
		return nil, fmt.Errorf("the checks of Pod Security: %w", err)
	}
	s := &podSecurity{checks: checks, unknown: how.Unknown != "", minors: []int{oldestMinor}, judged: map[string][]lifecycle.Refusal{}}
	for _, c := range all {
		for _, v := range c.Versions {
			if m := v.MinimumVersion.Minor(); m > oldestMinor {
				s.minors = append(s.minors, m)
			}
		}
	}
	slices.Sort(s.minors)
	s.minors = slices.Compact(s.minors)
	config, err := podSecurityConfig(how.Config)
	if err != nil {
		return nil, err
	}
	s.exempt = config.Exemptions
	if s.defaults, err = podsecurityconfig.ToPolicy(config.Defaults); err != nil {
		return nil, fmt.Errorf("the defaults of Pod Security: %w", err)
	}
	return s, nil
}

// podSecurityConfig is what a file of admission says of Pod Security, or what the API server does without one.
func podSecurityConfig(content []byte) (*podsecurityconfig.PodSecurityConfiguration, error) {
	inner := []byte(`{"apiVersion":"pod-security.admission.config.k8s.io/v1","kind":"PodSecurityConfiguration"}`)
	if len(content) > 0 {
		config, err := strictly[*apiserver.AdmissionConfiguration](serverScheme(), content)
		if err != nil {
			return nil, fmt.Errorf("read the file of admission: %w", err)
		}
		for _, p := range config.Plugins {
			if p.Name == "PodSecurity" && p.Configuration != nil {
				inner = p.Configuration.Raw
			}
		}
	}
	out, err := strictly[*podsecurityconfig.PodSecurityConfiguration](podsecurityscheme.Scheme, inner)
	if err != nil {
		return nil, fmt.Errorf("read what the file of admission says of Pod Security: %w", err)
	}
	return out, nil
}

// refusals are what Pod Security says against a pod that takes the place of this one, by the minor of the API server.
func (s *podSecurity) refusals(p *corev1.Pod, controller *metav1.OwnerReference, namespace map[string]string) []lifecycle.Refusal {
	if s == nil || s.exempts(p, controller) || s.unknown && namespace[podsecurity.EnforceLevelLabel] == "" {
		return nil
	}
	asked, _ := podsecurity.PolicyToEvaluate(namespace, s.defaults) // a label that can't be read counts as the server has it
	if asked.Enforce.Level == podsecurity.LevelPrivileged {
		return nil
	}
	key := strings.Join([]string{p.Namespace, string(controller.UID), controller.Name, p.Labels["pod-template-hash"],
		p.Labels["controller-revision-hash"]}, "/")
	said, there := s.judged[key]
	if !there {
		said = s.judge(asked.Enforce, p)
		s.judged[key] = said
	}
	return said
}

// exempts reports whether the servers let such pods in unseen.
func (s *podSecurity) exempts(p *corev1.Pod, controller *metav1.OwnerReference) bool {
	maker := "system:serviceaccount:kube-system:" + strings.ToLower(controller.Kind) + "-controller"
	if controller.Kind == "ReplicationController" {
		maker = "system:serviceaccount:kube-system:replication-controller"
	}
	return slices.Contains(s.exempt.Namespaces, p.Namespace) || slices.Contains(s.exempt.Usernames, maker) ||
		p.Spec.RuntimeClassName != nil && slices.Contains(s.exempt.RuntimeClasses, *p.Spec.RuntimeClassName)
}

// judge asks the checks once for each minor in which they differ.
func (s *podSecurity) judge(asked podsecurity.LevelVersion, p *corev1.Pod) []lifecycle.Refusal {
	spec := p.Spec
	spec.EphemeralContainers = nil // they end with the pod
	var out []lifecycle.Refusal
	for i, minor := range s.minors {
		as, server := asked, podsecurity.MajorMinorVersion(1, minor)
		if server.Older(asked.Version) {
			as.Version = server
		}
		why := ""
		if r := policy.AggregateCheckResults(s.checks.EvaluatePod(as, &p.ObjectMeta, &spec)); !r.Allowed {
			why = fmt.Sprintf("violates PodSecurity %q: %s", asked.String(), r.ForbiddenDetail())
		}
		if n := len(out); n > 0 && out[n-1].Until == 0 {
			if out[n-1].Why == why {
				continue
			}
			out[n-1].Until = minor
		}
		if why == "" {
			continue
		}
		r := lifecycle.Refusal{By: lifecycle.RefusedByPodSecurity, Name: asked.String(), Why: why}
		if i > 0 {
			r.Since = minor
		}
		out = append(out, r)
	}
	return out
}
