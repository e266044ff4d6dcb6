package k0s

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// certificateNames are the files that the script shows certificates of, each with the authority that k0s has for it; "" is an
// authority's own. k0s makes all others anew at each start of a controller (cmd/controller/certificates.go,
// pkg/component/controller/etcd.go).
func certificateNames() map[string]string {
	return map[string]string{
		"ca": "", "front-proxy-ca": "", "etcd/ca": "",
		"front-proxy-client": "front-proxy-ca", "admin": "ca", "konnectivity": "ca", "ccm": "ca", "scheduler": "ca",
		"apiserver-kubelet-client": "ca", "server": "ca", "k0s-api": "ca",
		"apiserver-etcd-client": "etcd/ca", "etcd/server": "etcd/ca", "etcd/peer": "etcd/ca",
		kubeletClient: "ca", kubeletServer: "ca",
	}
}

const (
	kubeletClient = "kubelet-client"
	kubeletServer = "kubelet-server"
)

// certificates reads what the script shows of certificates: those of each file after its heading, of which the first counts, and
// "key <name>" of authorities whose keys are there. What is none, or not one of those that k0s has, is left out.
func certificates(text []byte) []lifecycle.Certificate {
	names, parsed, keys := certificateNames(), map[string]*x509.Certificate{}, map[string]bool{}
	for _, part := range bytes.Split(append([]byte("\n"), text...), []byte("\n==> ")) {
		file, rest, _ := bytes.Cut(part, []byte("\n"))
		if block, _ := pem.Decode(rest); block != nil && block.Type == "CERTIFICATE" {
			if c, err := x509.ParseCertificate(block.Bytes); err == nil {
				parsed[certificateName(string(file))] = c
			}
		}
		for line := range bytes.Lines(rest) {
			if key, ok := bytes.CutPrefix(line, []byte("key ")); ok {
				keys[string(bytes.TrimSpace(key))] = true
			}
		}
	}
	var out []lifecycle.Certificate
	for name, authority := range names {
		if c := parsed[name]; c != nil {
			out = append(out, lifecycle.Certificate{Name: name, NotBefore: c.NotBefore, NotAfter: c.NotAfter,
				Renewed: renewal(name, c, parsed[authority], keys[authority])})
		}
	}
	slices.SortFunc(out, func(a, b lifecycle.Certificate) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// certificateName is the name of the file in a heading: of "pki/etcd/ca.crt <==", "etcd/ca".
func certificateName(heading string) string {
	file := strings.TrimSuffix(heading, " <==")
	if kubelets, ok := strings.CutPrefix(file, "kubelet/pki/"); ok {
		return strings.TrimSuffix(kubelets, "-current.pem")
	}
	return strings.TrimSuffix(strings.TrimPrefix(file, "pki/"), ".crt")
}

// renewal is k0s's rule (pkg/certificate/manager.go, isManagedByK0s): it makes anew what an authority of its usual name has signed, or one
// whose key it has.
func renewal(name string, c, authority *x509.Certificate, hasKey bool) lifecycle.Renewal {
	switch {
	case name == kubeletClient || name == kubeletServer:
		return lifecycle.RenewedByKubelet
	case certificateNames()[name] == "":
		return lifecycle.RenewedByHand
	case slices.Contains([]string{"kubernetes-ca", "kubernetes-front-proxy-ca", "etcd-ca"}, c.Issuer.CommonName):
		return lifecycle.RenewedByStart
	case hasKey && authority != nil && authority.Subject.CommonName == c.Issuer.CommonName:
		return lifecycle.RenewedByStart
	}
	return lifecycle.RenewedByHand
}
