package controlplane

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"kiban.dev/kiban/lab/lightapi"
)

// lightFile is a light controller's database.
func (c *Controller) lightFile() string { return filepath.Join(c.DataDir, "light.json") }

// errLightJoins is why a light controller does not start that was given a token.
var errLightJoins = errors.New("a light controller has its cluster for itself: it can't join another one")

// upLight starts the API of a light controller in this process, instead of all programs.
func (c *Controller) upLight(onStop func(func())) error {
	ca, err := c.authority("")
	if err != nil {
		return err
	}
	own, err := c.pair("server")
	if err != nil {
		return err
	}
	certificate, err := tls.X509KeyPair(own.cert, own.key)
	if err != nil {
		return err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(ca.cert)
	if c.Supervised != nil {
		c.Supervised("kine")
		c.Supervised("kube-apiserver")
	}
	server, err := lightapi.Serve(lightapi.Options{
		File: c.lightFile(), Address: net.JoinHostPort(c.Addr, fmt.Sprint(c.Config.apiPort())), Version: KubernetesVersion(c.Version),
		TLS:     &tls.Config{Certificates: []tls.Certificate{certificate}, ClientCAs: trusted, MinVersion: tls.VersionTLS12},
		Leaders: []string{"kube-controller-manager", "kube-scheduler"},
	})
	if err != nil {
		return err
	}
	onStop(server.Close)
	return nil
}

// KubernetesVersion is what the programs and kubelets of a k0s release call themselves: v1.36.3+k0s of v1.36.3+k0s.2.
func KubernetesVersion(version string) string {
	core, build, ok := strings.Cut(version, "+")
	if !ok {
		return version
	}
	name, _, _ := strings.Cut(build, ".")
	return core + "+" + name
}
