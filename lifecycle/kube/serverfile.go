package kube

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/install"
	"k8s.io/apiserver/pkg/apis/apiserver/validation"
	"k8s.io/apiserver/pkg/apis/audit"
	auditregistry "k8s.io/apiserver/pkg/audit"
	"k8s.io/apiserver/pkg/audit/policy"
	"k8s.io/apiserver/pkg/authentication/cel"
	podsecurity "k8s.io/pod-security-admission/admission/api"
	podsecurityscheme "k8s.io/pod-security-admission/admission/api/scheme"
	podsecurityvalidation "k8s.io/pod-security-admission/admission/api/validation"

	"kiban.dev/kiban/lifecycle"
)

// CheckServerFile judges the content of a file that a flag of kube-apiserver names ("audit-policy-file"), with the code that kube-apiserver
// reads it with. A file that it would not start with, or would read otherwise than it looks, is a lifecycle.Diagnostic. Flags that it has
// no code for are not judged.
func CheckServerFile(flag string, content []byte) error {
	check := map[string]func([]byte) error{
		"audit-policy-file":             checkAuditPolicy,
		"authentication-config":         checkAuthentication,
		"encryption-provider-config":    checkEncryption,
		"admission-control-config-file": checkAdmission,
	}[flag]
	if check == nil {
		return nil
	}
	err := check(content)
	if err == nil {
		return nil
	}
	return lifecycle.Errorf("", "kube-apiserver would refuse its %s", flag).
		Because(lines(err)).
		Try("Correct the file: an API server that is restarted with it does not come up again").
		Hiding(err)
}

// lines are the errors within an error, one a line.
func lines(err error) string {
	many, ok := errors.AsType[utilerrors.Aggregate](err)
	if !ok {
		return err.Error()
	}
	var out []string
	for _, e := range many.Errors() {
		out = append(out, e.Error())
	}
	return strings.Join(out, "\n")
}

// strictly decodes a file and knows all of its fields: what is misspelt would have no effect.
func strictly[T runtime.Object](scheme *runtime.Scheme, content []byte) (T, error) {
	var none T
	decoded, gvk, err := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDecoder().Decode(content, nil, nil)
	if err != nil {
		return none, err
	}
	typed, ok := decoded.(T)
	if !ok {
		return none, fmt.Errorf("it is a %s, which does not belong here", gvk)
	}
	return typed, nil
}

func serverScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	return scheme
}

func checkAuditPolicy(content []byte) error {
	if _, err := strictly[*audit.Policy](auditregistry.Scheme, content); err != nil {
		return err
	}
	_, err := policy.LoadPolicyFromBytes(content)
	return err
}

// checkAuthentication refuses "anonymous" beside what kube-apiserver itself refuses: k0s starts it with --anonymous-auth=false, and the two
// may not be given together.
func checkAuthentication(content []byte) error {
	config, err := strictly[*apiserver.AuthenticationConfiguration](serverScheme(), content)
	if err != nil {
		return err
	}
	if config.Anonymous != nil {
		return errors.New("anonymous: k0s starts kube-apiserver with --anonymous-auth=false, and does not come up with both: leave the field out")
	}
	return validation.ValidateAuthenticationConfiguration(cel.NewDefaultCompiler(), config, nil).ToAggregate()
}

func checkEncryption(content []byte) error {
	config, err := strictly[*apiserver.EncryptionConfiguration](serverScheme(), content)
	if err != nil {
		return err
	}
	return validation.ValidateEncryptionConfiguration(config, false).ToAggregate()
}

func checkAdmission(content []byte) error {
	config, err := strictly[*apiserver.AdmissionConfiguration](serverScheme(), content)
	if err != nil {
		return err
	}
	for _, plugin := range config.Plugins {
		if plugin.Name != "PodSecurity" || plugin.Configuration == nil {
			continue
		}
		inner, err := strictly[*podsecurity.PodSecurityConfiguration](podsecurityscheme.Scheme, plugin.Configuration.Raw)
		if err != nil {
			return fmt.Errorf("plugins: PodSecurity: %w", err)
		}
		if err := podsecurityvalidation.ValidatePodSecurityConfiguration(inner).ToAggregate(); err != nil {
			return err
		}
	}
	return nil
}
