package lifecycle

import (
	"slices"
	"strings"
)

// PodAdmission is how a site's API servers are declared to judge pods.
type PodAdmission struct {
	// Config is the content of the file of --admission-control-config-file; Unknown says why it is not known, "" where it is, or where there
	// is no such file.
	Config  []byte
	Unknown string
	// Off are the admission plugins that are switched off.
	Off []string
}

// PodAdmission is how the API servers of a version are declared to judge pods: those of the first controller, for all are to be alike.
func (s Site) PodAdmission(v Version) PodAdmission {
	at := slices.IndexFunc(s.Cluster.Hosts, func(h Host) bool { return h.Role.IsController() && !h.Reset })
	if at < 0 {
		return PodAdmission{Unknown: "the declaration has no controller, which would say how its API server judges pods"}
	}
	h := s.Cluster.Hosts[at]
	var out PodAdmission
	if off := s.apiArgument(h, "disable-admission-plugins"); off != "" {
		out.Off = strings.Split(off, ",")
	}
	path := s.apiArgument(h, "admission-control-config-file")
	if path == "" {
		return out
	}
	file := slices.IndexFunc(h.Files, func(f HostFile) bool { return f.Path == path && f.Fits(v) })
	switch {
	case file < 0:
		out.Unknown = path + ", which the API server judges pods by, is not among the files that are declared in spec.files"
	case h.Files[file].Content == nil:
		out.Unknown = path + ", which the API server judges pods by, can't be read here: " + h.Files[file].Missing
	default:
		out.Config = h.Files[file].Content
	}
	return out
}
