package kubelet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/certificate/csr"

	"kiban.dev/kiban/lab/controlplane"
)

func (w Worker) kubeconfigPath() string { return filepath.Join(w.DataDir, "kubelet.conf") }

// authority is the certificate authority of the cluster that the worker belongs to, or is to join.
func (w Worker) authority() ([]byte, error) {
	doc, err := os.ReadFile(w.kubeconfigPath())
	if errors.Is(err, fs.ErrNotExist) {
		if w.Token == "" {
			return nil, errors.New("the worker has neither kubelet.conf nor a join token")
		}
		t, err := controlplane.ParseToken(w.Token)
		return t.CA, err
	}
	if err != nil {
		return nil, err
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(doc)
	if err != nil {
		return nil, err
	}
	return cfg.CAData, nil
}

// bootstrap gets the node a certificate of its own, as a kubelet does: a signing request with the join token, which the controller
// manager approves and signs. It does nothing when kubelet.conf is there already.
func (w Worker) bootstrap(ctx context.Context, cluster *controlplane.Cluster) error {
	if _, err := os.Stat(w.kubeconfigPath()); err == nil {
		return nil
	}
	t, err := controlplane.ParseToken(w.Token)
	if err != nil {
		return err
	}
	if t.Role != "worker" {
		return fmt.Errorf("the join token is for a %s, not for a worker", t.Role)
	}
	key, request, err := signingRequest(w.Name)
	if err != nil {
		return err
	}
	cert, err := w.sign(ctx, cluster, t, key, request)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
	return w.writeKubeconfig(t, cert, keyPEM)
}

// refusal tells an API server that has not heard of a token or a role yet, because it was made a moment ago through another one, from
// one that means it.
type refusal struct{ since time.Time }

// final reports whether err is a refusal, as it was for the last five seconds.
func (r *refusal) final(err error, now time.Time) bool {
	if !apierrors.IsUnauthorized(err) && !apierrors.IsForbidden(err) {
		r.since = time.Time{}
		return false
	}
	if r.since.IsZero() {
		r.since = now
	}
	return now.Sub(r.since) >= 5*time.Second
}

func signingRequest(node string) (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "system:node:" + node, Organization: []string{"system:nodes"}},
	}, key)
	return key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), err
}

// sign sends the request and waits for the certificate, as long as ctx lasts.
func (w Worker) sign(ctx context.Context, cluster *controlplane.Cluster, t controlplane.Token, key *ecdsa.PrivateKey,
	request []byte) ([]byte, error) {
	client, closeIdle, err := brief(&rest.Config{
		Host: t.Server, BearerToken: t.Bearer(), TLSClientConfig: rest.TLSClientConfig{CAData: t.CA},
	}, cluster)
	if err != nil {
		return nil, err
	}
	defer closeIdle()
	var refused refusal
	for {
		name, uid, err := csr.RequestCertificateWithContext(ctx, client, request, "", certificatesv1.KubeAPIServerClientKubeletSignerName, nil,
			[]certificatesv1.KeyUsage{certificatesv1.UsageDigitalSignature, certificatesv1.UsageClientAuth}, key)
		if err == nil {
			return csr.WaitForCertificate(ctx, client, name, uid)
		}
		if refused.final(err, time.Now()) {
			return nil, err
		}
		if pauseErr := pause(ctx, retryEvery); pauseErr != nil {
			return nil, errors.Join(pauseErr, err)
		}
	}
}

func (w Worker) writeKubeconfig(t controlplane.Token, cert, key []byte) error {
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters["default-cluster"] = &clientcmdapi.Cluster{Server: t.Server, CertificateAuthorityData: t.CA}
	cfg.AuthInfos["default-auth"] = &clientcmdapi.AuthInfo{ClientCertificateData: cert, ClientKeyData: key}
	cfg.Contexts["default-context"] = &clientcmdapi.Context{Cluster: "default-cluster", AuthInfo: "default-auth", Namespace: "default"}
	cfg.CurrentContext = "default-context"
	doc, err := clientcmd.Write(*cfg)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(w.DataDir, 0o755); err != nil {
		return err
	}
	next := w.kubeconfigPath() + ".new" // whole or not at all: the lab may be killed at any moment
	if err := os.WriteFile(next, doc, 0o600); err != nil {
		return err
	}
	return os.Rename(next, w.kubeconfigPath())
}
