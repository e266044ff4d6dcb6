package k0s

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v2"

	"kiban.dev/kiban/lifecycle"
)

// maxKubeconfig bounds an administrator's kubeconfig: k0s writes about 6 KiB.
const maxKubeconfig = 64 << 10

// credentialsOf takes the administrator's credentials out of what a controller of the site has as its kubeconfig. A machine is not
// believed: the form is k0s's own, and from it come certificates and a key, which are data. Everything else that a kubeconfig can say makes
// a client do something, such as start a program, read a file or go to another server; it is refused by name, and so is what has no form.
func credentialsOf(text []byte) (lifecycle.Credentials, error) {
	if len(text) > maxKubeconfig {
		return lifecycle.Credentials{}, fmt.Errorf("it has %d bytes, and at most %d are read", len(text), maxKubeconfig)
	}
	var doc any
	if err := yaml.UnmarshalStrict(text, &doc); err != nil {
		return lifecycle.Credentials{}, errors.New("it is not YAML, or says something twice") // the parser's words may hold the key
	}
	cluster, user, err := kubeconfigForm(doc)
	if err != nil {
		return lifecycle.Credentials{}, err
	}
	return readCredentials(cluster, user)
}

// kubeconfigForm gives the one cluster and the one user of a kubeconfig that has k0s's own form, and nothing beside it.
func kubeconfigForm(doc any) (cluster, user fields, err error) {
	top, err := fieldsOf(doc, "", "apiVersion", "kind", "preferences", "current-context", "clusters", "contexts", "users")
	if err != nil {
		return nil, nil, err
	}
	if p, there := top["preferences"]; there {
		if _, err := fieldsOf(p, "preferences"); err != nil {
			return nil, nil, err
		}
	}
	context, err := only(top, "contexts", "context", "cluster", "user", "namespace")
	if err != nil {
		return nil, nil, err
	}
	for _, name := range []string{"cluster", "user", "namespace"} {
		if _, err := context.text("contexts[0].context", name); err != nil {
			return nil, nil, err
		}
	}
	if cluster, err = only(top, "clusters", "cluster", "server", "certificate-authority-data"); err != nil {
		return nil, nil, err
	}
	user, err = only(top, "users", "user", "client-certificate-data", "client-key-data")
	return cluster, user, err
}

// readCredentials reads what is in a cluster's and a user's data.
func readCredentials(cluster, user fields) (lifecycle.Credentials, error) {
	const ca, cert, key = "certificate-authority-data", "client-certificate-data", "client-key-data"
	var c lifecycle.Credentials
	var err error
	if c.Authority, err = cluster.pem("clusters[0].cluster", ca, "CERTIFICATE"); err != nil {
		return lifecycle.Credentials{}, err
	}
	if c.Certificate, err = user.pem("users[0].user", cert, "CERTIFICATE"); err != nil {
		return lifecycle.Credentials{}, err
	}
	if c.Key, err = user.pem("users[0].user", key, "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"); err != nil {
		return lifecycle.Credentials{}, err
	}
	if !x509.NewCertPool().AppendCertsFromPEM(c.Authority) {
		return lifecycle.Credentials{}, fmt.Errorf("clusters[0].cluster.%s holds no certificate that can be read", ca)
	}
	if _, err := tls.X509KeyPair(c.Certificate, c.Key); err != nil {
		return lifecycle.Credentials{}, fmt.Errorf("users[0].user.%s and %s are not a certificate and its key", cert, key)
	}
	return c, nil
}

// fields are those of one mapping of a kubeconfig.
type fields map[string]any

// fieldsOf are a mapping's fields, all of which must be among those allowed. The error names the first that is not.
func fieldsOf(v any, path string, allowed ...string) (fields, error) {
	m, ok := v.(map[any]any)
	if !ok && v != nil {
		return nil, fmt.Errorf("%s is no mapping", orDocument(path))
	}
	out := fields{}
	var others []string
	for key, value := range m {
		name, ok := key.(string)
		if !ok || !slices.Contains(allowed, name) {
			others = append(others, strings.TrimPrefix(path+"."+printable(fmt.Sprint(key)), "."))
			continue
		}
		out[name] = value
	}
	if len(others) > 0 {
		return nil, fmt.Errorf("it has %s, which k0s does not write there", slices.Min(others))
	}
	return out, nil
}

func orDocument(path string) string {
	if path == "" {
		return "it"
	}
	return path
}

// only is what the one entry of a kubeconfig's list has in that field.
func only(top fields, list, field string, allowed ...string) (fields, error) {
	entries, ok := top[list].([]any)
	if !ok || len(entries) != 1 {
		return nil, fmt.Errorf("%s has not exactly one entry", list)
	}
	path := list + "[0]"
	entry, err := fieldsOf(entries[0], path, "name", field)
	if err != nil {
		return nil, err
	}
	return fieldsOf(entry[field], path+"."+field, allowed...)
}

// text is a field's text, "" when it is not there.
func (f fields) text(path, name string) (string, error) {
	v, there := f[name]
	s, ok := v.(string)
	if there && !ok {
		return "", fmt.Errorf("%s.%s is no text", path, name)
	}
	return s, nil
}

// pem is what a field holds in base64: PEM blocks of those types, and nothing else. It is written anew, without what may lie around them.
func (f fields) pem(path, name string, types ...string) ([]byte, error) {
	text, err := f.text(path, name)
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%s.%s is not base64", path, name)
	}
	var out []byte
	for {
		block, rest := pem.Decode(raw)
		if block == nil {
			break
		}
		if !slices.Contains(types, block.Type) {
			return nil, fmt.Errorf("%s.%s holds a PEM block of another type than %s", path, name, types[0])
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})...)
		raw = rest
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s.%s holds no PEM", path, name)
	}
	return out, nil
}

// doubtful is the finding about a controller's kubeconfig that was not taken.
func doubtful(host string, p paths, why error) lifecycle.Diagnostic {
	return lifecycle.Errorf(host, "the administrator's kubeconfig on this host is not k0s's own, so it is not used").
		Because(fmt.Sprintf("%s/pki/admin.conf: %v. kiban takes certificates and a key from it, and nothing that could start a program, "+
			"read a file or lead to another server.", p.data, why)).
		Try("Find out who changed it. k0s writes it anew when it starts: `systemctl restart k0scontroller` on the host.")
}
