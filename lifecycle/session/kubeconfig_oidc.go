package session

import (
	"encoding/base64"
	"fmt"

	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
)

// issuer is whom a site's API servers let people sign on with.
type issuer struct {
	url, client string
	// ca are the certificates, in PEM, that the issuer's own must be signed by; "" for those that the machine trusts.
	ca string
}

// personKubeconfig is a kubeconfig of a site without anyone's credentials: who uses it signs on with the issuer, through the kubectl plugin
// oidc-login. Of the administrator's it has the cluster's certificate only.
func personKubeconfig(c lifecycle.Credentials, site lifecycle.Site) ([]byte, error) {
	from, err := issuerOf(site)
	if err != nil {
		return nil, err
	}
	args := []string{"oidc-login", "get-token", "--oidc-issuer-url=" + from.url, "--oidc-client-id=" + from.client}
	for _, scope := range []string{"email", "groups", "profile"} {
		args = append(args, "--oidc-extra-scope="+scope)
	}
	if from.ca != "" {
		args = append(args, "--certificate-authority-data="+base64.StdEncoding.EncodeToString([]byte(from.ca)))
	}
	return writeKubeconfig(c.Authority, site, site.Name+"-oidc", userPart{Exec: &execPart{
		APIVersion: "client.authentication.k8s.io/v1", Command: "kubectl", Args: args, InteractiveMode: "IfAvailable",
		InstallHint: "kubectl's plugin oidc-login is missing: https://github.com/int128/kubelogin says how to install it.",
	}})
}

// issuerOf reads the issuer from the file that the declared API servers are given as their authentication-config.
func issuerOf(site lifecycle.Site) (issuer, error) {
	none := lifecycle.Errorf(site.Name, "the site declares no sign-on with OIDC").
		Because("Its API servers are given no authentication-config.").
		Try("Include the component sso in the overlay; `kiban explain docs/sso.md` says what belongs into it.")
	if site.Provider == lifecycle.ProviderExternal {
		none.Detail, none.Hint = "Someone else runs its API servers, and knows whom they let in.",
			"Ask the provider of the cluster for a kubeconfig."
		return issuer{}, none
	}
	controllers := site.Cluster.Controllers()
	if len(controllers) == 0 {
		return issuer{}, none
	}
	file := apiArgument(controllers[0], "authentication-config")
	if file == "" {
		return issuer{}, none
	}
	for _, f := range controllers[0].Files {
		if f.Path == file {
			return readIssuer(site, f)
		}
	}
	none.Detail = fmt.Sprintf("Its API servers are given %s, which the site does not declare.", file)
	none.Hint = "Declare the file in spec.files of the Site, with `on: controllers`."
	return issuer{}, none
}

// readIssuer takes the first issuer of an AuthenticationConfiguration.
func readIssuer(site lifecycle.Site, f lifecycle.HostFile) (issuer, error) {
	bad := lifecycle.Errorf(site.Name, "%s names no issuer", f.Path).
		Try("Give it jwt[0].issuer with url and audiences; `kiban explain docs/sso.md` has an example.")
	if f.Missing != "" {
		bad.Summary, bad.Detail, bad.Hint = "the content of "+f.Path+" is not known here", f.Missing,
			"Set what is missing, then run the same command again."
		return issuer{}, bad
	}
	var config struct {
		JWT []struct {
			Issuer struct {
				URL                  string   `json:"url"`
				Audiences            []string `json:"audiences"`
				CertificateAuthority string   `json:"certificateAuthority"`
			} `json:"issuer"`
		} `json:"jwt"`
	}
	if err := yaml.Unmarshal(f.Content, &config); err != nil {
		bad.Cause, bad.Detail = err, "It is not YAML."
		return issuer{}, bad
	}
	if len(config.JWT) == 0 || config.JWT[0].Issuer.URL == "" || len(config.JWT[0].Issuer.Audiences) == 0 {
		return issuer{}, bad
	}
	i := config.JWT[0].Issuer
	return issuer{url: i.URL, client: i.Audiences[0], ca: i.CertificateAuthority}, nil
}

// apiArgument is an extra argument of a controller's API server, as its k0s.yaml has it.
func apiArgument(h lifecycle.Host, name string) string {
	var config struct {
		Spec struct {
			API struct {
				ExtraArgs map[string]string `json:"extraArgs"`
			} `json:"api"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(h.Config, &config); err != nil {
		return ""
	}
	return config.Spec.API.ExtraArgs[name]
}
