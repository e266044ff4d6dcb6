package session

import (
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
)

const authentication = `apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer: {url: https://example.onelogin.com/oidc/2, audiences: [client-1, other]}
`

// signOn is a site whose API servers are given an authentication-config with that content.
func signOn(content string) lifecycle.Site {
	const file = "/etc/k0s/authentication.yaml"
	return lifecycle.Site{Name: "tokyo", Cluster: lifecycle.Cluster{Hosts: []lifecycle.Host{{
		Name: "c1", Role: lifecycle.RoleController, Address: "10.0.0.11",
		Config: []byte(`{"spec":{"api":{"extraArgs":{"authentication-config":"` + file + `"}}}}`),
		Files:  []lifecycle.HostFile{{Path: "/etc/motd"}, {Path: file, Content: []byte(content), Digest: "sha256:1"}},
	}}}}
}

func administrators() lifecycle.Credentials {
	return lifecycle.Credentials{Authority: []byte("CA"), Certificate: []byte("CRT"), Key: []byte("KEY")}
}

// TestPersonKubeconfig: one for people has the cluster's certificate, the site's endpoint and the issuer, and nobody's credentials.
func TestPersonKubeconfig(t *testing.T) {
	out, err := personKubeconfig(administrators(), signOn(authentication))
	if err != nil {
		t.Fatal(err)
	}
	var f kubeconfigFile
	if err := yaml.UnmarshalStrict(out, &f); err != nil {
		t.Fatal(err)
	}
	if c := f.Clusters[0].Cluster; c.Server != "https://10.0.0.11:6443" || string(c.Authority) != "CA" ||
		f.CurrentContext != "tokyo" || len(f.Users) != 1 {
		t.Errorf("got\n%s", out)
	}
	exec := f.Users[0].User.Exec
	if exec == nil {
		t.Fatalf("got\n%s", out)
	}
	want := []string{"oidc-login", "get-token", "--oidc-issuer-url=https://example.onelogin.com/oidc/2", "--oidc-client-id=client-1",
		"--oidc-extra-scope=email", "--oidc-extra-scope=groups", "--oidc-extra-scope=profile"}
	if exec.Command != "kubectl" || exec.APIVersion != "client.authentication.k8s.io/v1" || !slices.Equal(exec.Args, want) ||
		f.Users[0].User.Key != nil || f.Users[0].User.Certificate != nil {
		t.Errorf("got\n%s", out)
	}
	for _, secret := range []string{"S0VZ", "Q1JU", "client-key"} {
		if strings.Contains(string(out), secret) {
			t.Errorf("%s is an administrator's:\n%s", secret, out)
		}
	}
	out, err = personKubeconfig(administrators(),
		signOn(strings.Replace(authentication, "audiences", "certificateAuthority: PEM, audiences", 1)))
	if err != nil || !strings.Contains(string(out), "--certificate-authority-data=UEVN") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestNoSignOn(t *testing.T) {
	undeclared, none, external, unknown := signOn(authentication), signOn(authentication), signOn(authentication), signOn(authentication)
	undeclared.Cluster.Hosts[0].Files = nil
	none.Cluster.Hosts[0].Config = []byte(`{"spec":{}}`)
	external.Provider = lifecycle.ProviderExternal
	unknown.Cluster.Hosts[0].Files[1] = lifecycle.HostFile{Path: "/etc/k0s/authentication.yaml",
		Missing: "the environment variable AUTH is not set"}
	for name, c := range map[string]struct {
		site lifecycle.Site
		want string
	}{
		"no argument":      {none, "are given no authentication-config"},
		"no file":          {undeclared, "/etc/k0s/authentication.yaml, which the site does not declare"},
		"external":         {external, "Someone else runs its API servers"},
		"no issuer":        {signOn("jwt: []"), "names no issuer"},
		"no audience":      {signOn("jwt: [{issuer: {url: https://x}}]"), "names no issuer"},
		"not YAML":         {signOn("jwt: ["), "It is not YAML"},
		"content not here": {unknown, "AUTH is not set"},
	} {
		_, err := personKubeconfig(administrators(), c.site)
		ds := lifecycle.AsDiagnostics(err, "")
		if len(ds) != 1 || !strings.Contains(err.Error(), c.want) || ds[0].Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
