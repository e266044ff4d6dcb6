package site

import (
	"kiban.dev/kiban/lifecycle"

	"kiban.dev/kiban/lifecycle/site/overlay"
)

func hostPlace(name string, path ...string) overlay.Place {
	return clusterPlace(append([]string{"spec", "hosts", "[hostname=" + name + "]"}, path...)...)
}

func clusterPlace(path ...string) overlay.Place {
	return overlay.Place{Kind: overlay.KindCluster, Path: path}
}

func sitePlace(path ...string) overlay.Place {
	return overlay.Place{Kind: overlay.KindSite, Path: path}
}

func addonPlace(name string, path ...string) overlay.Place {
	return overlay.Place{Kind: overlay.KindAddon, Name: name, Path: path}
}

func tenantPlace(name string, path ...string) overlay.Place {
	return overlay.Place{Kind: overlay.KindTenant, Name: name, Path: path}
}

func objectPlace(d lifecycle.Document, path ...string) overlay.Place {
	return overlay.Place{Kind: overlay.OwnKind(d.APIVersion, d.Kind), Name: d.Name, Namespace: d.Namespace, Path: path, Subject: d.Source}
}
