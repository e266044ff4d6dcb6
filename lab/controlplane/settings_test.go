package controlplane_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSettingsDecideWhetherServersStart: kiban says of a few settings that a program of v1.37 does not start with them, and of others that
// it does. Here are the programs.
func TestSettingsDecideWhetherServersStart(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	s := newSite(t, "127.48.7")
	c := s.controller(1, "")
	c.Version = "v1.37.2+k0s.0"
	c.Config.APIArgs = map[string]string{
		"feature-gates":            "UserNamespacesSupport=true,AllAlpha=false,PodLevelResources=true",
		"enable-admission-plugins": "NodeRestriction,AlwaysPullImages,PodNodeSelector", "goaway-chance": "0",
	}
	c.Config.ControllerManagerArgs = map[string]string{"controllers": "*,bootstrapsigner,-ttl-controller", "feature-gates": "AllBeta=true"}
	s.run(c)

	for name, tt := range map[string]struct{ flag, value, says string }{
		"a gate that went":                   {"feature-gates", "SidecarContainers=true", "unrecognized feature gate: SidecarContainers"},
		"a gate that is locked":              {"feature-gates", "UserNamespacesSupport=false", "feature is locked to true"},
		"a gate that another needs":          {"feature-gates", "PodLevelResources=false", "depends on features that are disabled"},
		"a flag that went":                   {"cloud-provider", "external", "unknown flag: --cloud-provider"},
		"an admission plugin that went":      {"enable-admission-plugins", "PersistentVolumeLabel", "is unknown"},
		"one that is gone and switched off":  {"disable-admission-plugins", "PodSecurityPolicy", "is unknown"},
		"a gate that no version ever had":    {"feature-gates", "Nonsense=true", "unrecognized feature gate: Nonsense"},
		"a gate that a later version begins": {"feature-gates", "AllocatorPoolBufferCap=true", "unrecognized feature gate"},
	} {
		bad := s.controller(2, "")
		bad.Version, bad.Config.APIArgs = c.Version, maps.Clone(c.Config.APIArgs)
		bad.Config.APIArgs[tt.flag] = tt.value
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		bad.Root = filepath.Join(s.dir, "bad-"+strings.ReplaceAll(name, " ", "-"))
		bad.DataDir, bad.LogDir = filepath.Join(bad.Root, "k0s"), filepath.Join(bad.Root, "log")
		go func() { done <- bad.Run(ctx) }()
		log := filepath.Join(bad.LogDir, "kube-apiserver.log")
		s.until(name+": the API server says why it does not start", func(ctx context.Context) error {
			text, err := os.ReadFile(log)
			if err == nil && !strings.Contains(string(text), tt.says) {
				return os.ErrNotExist
			}
			return err
		})
		if err := bad.ReadyZ(t.Context()); err == nil {
			t.Errorf("%s: the API server started", name)
		}
		cancel()
		select {
		case <-done:
		case <-time.After(hangs):
			t.Fatalf("%s: the controller does not stop", name)
		}
	}
}
