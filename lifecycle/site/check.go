package site

import (
	"cmp"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// checkCluster applies every rule about the merged Cluster document.
func checkCluster(c clusterDocument, doc *yaml.Node, declared siteDocument) []finding {
	var found []finding
	found = append(found, checkVersion(c)...)
	found = append(found, checkPath(c, declared)...)
	found = append(found, checkHostNames(c)...)
	found = append(found, checkConnections(c)...)
	found = append(found, checkControlPlane(c)...)
	found = append(found, checkLoadBalancing(c)...)
	found = append(found, checkReset(c)...)
	found = append(found, checkNetworks(c)...)
	found = append(found, checkBinaries(c)...)
	found = append(found, checkFiles(c)...)
	found = append(found, checkDisruption(c)...)
	found = append(found, checkEnvironment(c)...)
	found = append(found, checkAllowed(c)...)
	found = append(found, checkSubstitution(doc)...)
	found = append(found, checkRoles(c)...)
	found = append(found, checkRepeats(c)...)
	found = append(found, checkK0sConfig(c, doc)...)
	found = append(found, checkK0sTogether(doc)...)
	found = append(found, checkProfiles(c, doc)...)
	found = append(found, checkK0sSecrets(doc)...)
	found = append(found, checkHostSecrets(doc)...)
	found = append(found, checkAPIAddress(c)...)
	found = append(found, checkPeerAddresses(c)...)
	found = append(found, checkOverruled(c)...)
	found = append(found, checkDatastore(c)...)
	return found
}

// k0s's defaults for what a Cluster document leaves out.
const (
	defaultPodCIDR     = "10.244.0.0/16"
	defaultServiceCIDR = "10.96.0.0/12"
	defaultStorage     = "etcd"
)

func (c clusterDocument) storage() string {
	return cmp.Or(c.Spec.K0s.Config.Spec.Storage.Type, defaultStorage)
}

// controllers are the hosts that run the control plane, those to be reset included.
func (c clusterDocument) controllers() []hostDocument {
	var hs []hostDocument
	for _, h := range c.Spec.Hosts {
		switch lifecycle.Role(h.Role) {
		case lifecycle.RoleController, lifecycle.RoleControllerWorker, lifecycle.RoleSingle:
			hs = append(hs, h)
		case lifecycle.RoleWorker:
		}
	}
	return hs
}
