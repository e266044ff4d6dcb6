package lifecycle

import (
	"encoding/json"
	"net/url"
	"slices"
)

// ServerOwner is whose API a kubelet looks for.
type ServerOwner string

const (
	ServerOwn    ServerOwner = "own"    // a declared controller's, or where the site's API is said to be
	ServerUnsaid ServerOwner = "unsaid" // a load balancer on the node itself, which does not say what is behind it; or none yet
	ServerOther  ServerOwner = "other"
)

// ServerOf says whose API is at the URL where a kubelet looks for it.
func (s Site) ServerOf(server string) ServerOwner {
	u, err := url.Parse(server)
	if err != nil || slices.Contains([]string{"", "localhost", "127.0.0.1", "::1"}, u.Hostname()) {
		return ServerUnsaid
	}
	var known []string
	for _, h := range s.Cluster.Controllers() {
		known = append(known, h.Name, h.Address, h.PrivateAddress, h.externalAddress())
	}
	if e, err := url.Parse(s.API.Endpoint); err == nil {
		known = append(known, e.Hostname())
	}
	if slices.Contains(known, u.Hostname()) {
		return ServerOwn
	}
	return ServerOther
}

// externalAddress is where the controller's configuration says that its API is found; "" where it does not.
func (h Host) externalAddress() string {
	var doc struct {
		Spec struct {
			API struct {
				ExternalAddress string `json:"externalAddress"`
			} `json:"api"`
		} `json:"spec"`
	}
	if json.Unmarshal(h.Config, &doc) != nil {
		return ""
	}
	return doc.Spec.API.ExternalAddress
}
