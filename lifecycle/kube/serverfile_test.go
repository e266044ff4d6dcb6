package kube

import (
	"strings"
	"testing"
)

func TestCheckServerFile(t *testing.T) {
	const authn = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n"
	const jwt = authn + "jwt:\n- issuer: {url: https://acme.onelogin.com/oidc/2, audiences: [kiban]}\n  claimMappings:\n" +
		"    username: {claim: email, prefix: \"onelogin:\"}\n    groups: {claim: groups, prefix: \"onelogin:\"}\n"
	const audit = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"
	const encryption = "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n" +
		"  providers:\n"
	const admission = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n- name: PodSecurity\n" +
		"  configuration:\n    apiVersion: pod-security.admission.config.k8s.io/v1\n    kind: PodSecurityConfiguration\n"
	for name, tc := range map[string]struct{ flag, content, want string }{
		"an audit policy":                {"audit-policy-file", audit + "rules: [{level: Metadata}]", ""},
		"an audit level that is not one": {"audit-policy-file", audit + "rules: [{level: Everything}]", "Everything"},
		"an audit policy that is misspelt": {"audit-policy-file", audit + "rules: [{level: Metadata, verb: [get]}]",
			`unknown field "rules[0].verb"`},
		"an audit policy without rules": {"audit-policy-file", audit, "0 rules"},
		"no YAML":                       {"audit-policy-file", "a: [", "yaml"},
		"people's identity":             {"authentication-config", jwt, ""},
		"an issuer without TLS":         {"authentication-config", strings.Replace(jwt, "https:", "http:", 1), "URL scheme must be https"},
		"anonymous":                     {"authentication-config", authn + "anonymous: {enabled: false}", "--anonymous-auth=false"},
		"an unknown field": {"authentication-config", strings.Replace(jwt, "audiences", "audience", 1),
			`unknown field "jwt[0].issuer.audience"`},
		"an address that nobody verified": {"authentication-config",
			strings.Replace(jwt, `username: {claim: email, prefix: "onelogin:"}`, `username: {expression: "claims.email"}`, 1), "email_verified"},
		"another kind": {"authentication-config", encryption + "  - identity: {}", "does not belong here"},
		"encryption at rest": {"encryption-provider-config",
			encryption + "  - secretbox: {keys: [{name: k1, secret: MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=}]}\n  - identity: {}", ""},
		"a key that is too short": {"encryption-provider-config", encryption + "  - secretbox: {keys: [{name: k1, secret: c2hvcnQ=}]}",
			"32"},
		"no provider": {"encryption-provider-config", encryption + "  - {}", "provider"},
		"Pod Security levels": {"admission-control-config-file",
			admission + "    defaults: {enforce: baseline, enforce-version: latest}", ""},
		"a level that is not one": {"admission-control-config-file", admission + "    defaults: {enforce: strict}", "strict"},
		"an exemption twice":      {"admission-control-config-file", admission + "    exemptions: {namespaces: [a, a]}", "Duplicate"},
		"a level that is misspelt": {"admission-control-config-file", admission + "    defaults: {enforced: baseline}",
			"unknown field"},
		"a flag that nobody has the code of": {"tls-cert-file", "anything", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := CheckServerFile(tc.flag, []byte(tc.content))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tc.want != "":
				wantDiagnostic(t, err, "error", "kube-apiserver would refuse its "+tc.flag)
				if err != nil && !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %v, want %q in it", err, tc.want)
				}
			}
			if err != nil && strings.Contains(err.Error(), "c2hvcnQ") {
				t.Errorf("a key shows: %v", err)
			}
		})
	}
}
