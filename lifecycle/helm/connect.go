package helm

import (
	"context"
	"log/slog"
	"net/http"
	"sync"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/storage"
	"helm.sh/helm/v4/pkg/storage/driver"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Manager is the field manager that Helm applies objects as: the same as kiban's own.
const Manager = "kiban"

// fieldManager sets the SDK's global once. Left alone it is the name of the executable, so that a renamed binary would fight with itself.
var fieldManager sync.Once

// connect makes an SDK configuration for the releases of one namespace. Its requests end with the context.
func connect(ctx context.Context, config *rest.Config, namespace string, log *slog.Logger) (*action.Configuration, error) {
	fieldManager.Do(func() { kube.ManagedFieldsManager = Manager })
	cfg := rest.CopyConfig(config)
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { return bound{ctx: ctx, next: next} })
	cfg.WarningHandler = rest.NoWarnings{} // of deprecated versions; they would go to standard error
	cfg.WarningHandlerWithContext = nil
	found, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return nil, err
	}
	cached := memory.NewMemCacheClient(found)
	// The deferred mapper looks again when it does not know a kind, for a definition may have come a moment ago.
	to := getter{config: cfg, namespace: namespace, discovery: cached, mapper: restmapper.NewDeferredDiscoveryRESTMapper(cached)}
	clients, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	client := kube.New(to)
	client.Namespace = namespace
	client.SetLogger(log.Handler())
	records := driver.NewSecrets(clients.CoreV1().Secrets(namespace))
	records.SetLogger(log.Handler())
	out := action.NewConfiguration(action.ConfigurationSetLogger(log.Handler()))
	out.RESTClientGetter = to
	out.KubeClient = client
	out.Releases = storage.Init(records)
	return out, nil
}

// getter gives the SDK its clients from a configuration in memory. No environment and no file is read.
type getter struct {
	config    *rest.Config
	namespace string
	discovery discovery.CachedDiscoveryInterface
	mapper    meta.RESTMapper
}

func (g getter) ToRESTConfig() (*rest.Config, error) { return rest.CopyConfig(g.config), nil }

func (g getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return g.discovery, nil
}

func (g getter) ToRESTMapper() (meta.RESTMapper, error) { return g.mapper, nil }

func (g getter) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	return clientcmd.NewDefaultClientConfig(*clientcmdapi.NewConfig(),
		&clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Namespace: g.namespace}})
}
