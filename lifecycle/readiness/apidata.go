package readiness

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Which API Kubernetes serves how long, out of the source of its own modules, which the file names. `make generate` writes it.
//
//go:embed data/apis.json
var apiData []byte

// APIs are the kinds that Kubernetes has stopped serving in some version of their group, or is going to.
func APIs() []lifecycle.API {
	all, err := readAPIs(apiData)
	if err != nil {
		return nil // a test holds that it can be read
	}
	return all
}

func readAPIs(b []byte) ([]lifecycle.API, error) {
	var file struct {
		APIs []lifecycle.API `json:"apis"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, fmt.Errorf("APIs of Kubernetes: %w", err)
	}
	for _, a := range file.APIs {
		if minor(a.Removed).IsZero() {
			return nil, fmt.Errorf("APIs of Kubernetes: %s has no release of its removal", a)
		}
	}
	return file.APIs, nil
}

// minor is a minor release of the data, "1.25"; zero where it is none.
func minor(s string) lifecycle.Version {
	major, rest, _ := strings.Cut(s, ".")
	a, err := strconv.Atoi(major)
	b, err2 := strconv.Atoi(rest)
	if err != nil || err2 != nil {
		return lifecycle.Version{}
	}
	return lifecycle.Version{Major: a, Minor: b}
}

// apiTable finds APIs by what witnesses name them by.
type apiTable struct {
	kinds     map[string]lifecycle.API // "networking.k8s.io/v1beta1 Ingress"
	resources map[string]lifecycle.API // "networking.k8s.io/v1beta1 ingresses"
}

func tableOf(all []lifecycle.API) apiTable {
	t := apiTable{kinds: map[string]lifecycle.API{}, resources: map[string]lifecycle.API{}}
	for _, a := range all {
		t.kinds[a.String()] = a
		t.resources[a.GroupVersion()+" "+a.Resource] = a
	}
	return t
}

// kind finds the API of an object.
func (t apiTable) kind(apiVersion, kind string) (lifecycle.API, bool) {
	a, ok := t.kinds[apiVersion+" "+kind]
	return a, ok
}

// resource finds the API of a request. One that the data does not have is as the server tells: servers know their own removals.
func (t apiTable) resource(group, version, resource, removed string) (lifecycle.API, bool) {
	a := lifecycle.API{Group: group, Version: version, Resource: resource, Kind: resource, Removed: removed}
	if known, ok := t.resources[a.GroupVersion()+" "+resource]; ok {
		return known, true
	}
	return a, !minor(removed).IsZero()
}

// Serves reports whether Kubernetes of that version has not stopped serving an object's API, as far as the data tells: one that no release
// removes is served, and so is one that came later than the version.
func Serves(v lifecycle.Version, apiVersion, kind string) bool {
	a, known := tableOf(APIs()).kind(apiVersion, kind)
	return !known || v.MinorsAhead(minor(a.Removed)) < 0
}
