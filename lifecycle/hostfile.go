package lifecycle

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// HostFile is a file that a host is to have.
type HostFile struct {
	// Path is where it lies on the host.
	Path string `json:"path"`
	// Content is what it is to hold; it may be secret. Nil with an empty Digest: it could not be read here (see Missing).
	Content []byte `json:"-"`
	// Local is the file of this machine that holds the content where that is too large to be kept in memory, such as an image bundle:
	// Content is nil then. It is read when it is sent, and must still have the Digest.
	Local string `json:"-"`
	// Digest is "sha256:<hex>" of the content.
	Digest string `json:"digest,omitempty"`
	// Missing says why the content is not known here, such as an environment variable that is not set: then it is not compared.
	Missing string `json:"missing,omitempty"`
	// Mode is octal, "0640"; Owner and Group are names. Empty: as the host has it.
	Mode  string `json:"mode,omitempty"`
	Owner string `json:"owner,omitempty"`
	Group string `json:"group,omitempty"`
	// NewMode is the mode that the file gets where Mode is empty and the host does not have it yet: octal, "" for 0644, or 0600 when it is
	// secret. DirMode is the mode of its folder when that must be made, "" for 0755.
	NewMode string `json:"-"`
	DirMode string `json:"-"`
	// Secret says that the content must not be shown.
	Secret bool `json:"secret,omitempty"`
	// Restart says that k0s reads the file when it starts, so that a change of it needs a restart.
	Restart bool `json:"restart,omitempty"`
	// Since is the first version of k0s that the file is for, Until the first that it is no longer for: "v1.36" stands for the whole minor
	// release. Zero: there is no such end.
	Since  Version `json:"since,omitzero"`
	Until  Version `json:"until,omitzero"`
	Source string  `json:"source,omitempty"`
}

// FileState is a declared file as the host has it.
type FileState struct {
	Path string `json:"path"`
	// Digest is "sha256:<hex>" of its content; "" when it is not there.
	Digest string `json:"digest,omitempty"`
	Mode   string `json:"mode,omitempty"`
	Owner  string `json:"owner,omitempty"`
	Group  string `json:"group,omitempty"`
}

// Fits reports whether the file is for k0s of that version; zero stands for any.
func (f HostFile) Fits(v Version) bool {
	return v.IsZero() || v.reaches(f.Since) && (f.Until.IsZero() || !v.reaches(f.Until))
}

// PutStopped reports whether the file changes only while k0s is stopped, where a step stops it anyway: the k0s before that step might not
// take it, or the one behind it not the former one. The step that starts k0s at a version puts it.
func (f HostFile) PutStopped() bool {
	return !f.Since.IsZero() || !f.Until.IsZero() || ReadByContainerd(f.Path)
}

// At is the host as it is declared for k0s of that version: without the files that are for others.
func (h Host) At(v Version) Host {
	h.Files = slices.DeleteFunc(slices.Clone(h.Files), func(f HostFile) bool { return !f.Fits(v) })
	return h
}

// Known reports whether the content is known here.
func (f HostFile) Known() bool { return f.Digest != "" }

// FileChange is how a host's file differs from what is declared.
type FileChange struct {
	HostFile
	Have FileState
}

// FileChanges compares a host's declared files with what it has. A file whose content is not known here is compared by mode and owner only,
// and not at all when the host lacks it: UnknownFiles names those.
func (h Host) FileChanges(have HostState) []FileChange {
	var out []FileChange
	for _, f := range h.Files {
		c := FileChange{HostFile: f, Have: have.File(f.Path)}
		if (f.Known() || c.Have.Digest != "") && (c.Content() || len(c.attributes()) > 0) {
			out = append(out, c)
		}
	}
	return out
}

// UnknownFiles are the declared files that the host lacks and that cannot be put there, for their content is not known here.
func (h Host) UnknownFiles(have HostState) []HostFile {
	return slices.DeleteFunc(slices.Clone(h.Files), func(f HostFile) bool { return f.Known() || have.File(f.Path).Digest != "" })
}

// File is a declared file as the host has it; one without a digest when it is not there.
func (h HostState) File(path string) FileState {
	for _, f := range h.Files {
		if f.Path == path {
			return f
		}
	}
	return FileState{Path: path}
}

// Content reports whether the content differs, be it because the host lacks the file.
func (c FileChange) Content() bool { return c.Known() && c.Digest != c.Have.Digest }

// Restarts reports whether k0s must be restarted for the change: it reads contents when it starts, and does not look at modes.
func (c FileChange) Restarts() bool { return c.Restart && c.Content() }

// ReadAtStart reports whether k0s reads a file when it starts, as far as its path says: what lies in its own folders is for it. Images and
// manifests in its data folder it watches, and picks up by itself.
func ReadAtStart(file, dataDir string) bool {
	if dataDir == "" {
		dataDir = "/var/lib/k0s"
	}
	dataDir = path.Clean(dataDir) + "/"
	watched := strings.HasPrefix(file, dataDir+"images/") || strings.HasPrefix(file, dataDir+"manifests/")
	return strings.HasPrefix(file, "/etc/k0s/") || strings.HasPrefix(file, dataDir) && !watched
}

// ImagesOf is the version of k0s whose images the file holds, as the name says that k0s's releases give such a bundle
// ("k0s-airgap-bundle-v1.36.3+k0s.2-amd64"), where it lies in the folder that k0s imports images from. Ok is false for any other file.
func (f HostFile) ImagesOf(dataDir string) (v Version, ok bool) {
	name, ok := strings.CutPrefix(f.Path, path.Clean(dataDir)+"/images/k0s-airgap-bundle-")
	i := strings.LastIndexByte(name, '-')
	if !ok || i < 0 {
		return Version{}, false
	}
	v, err := ParseVersion(name[:i])
	return v, err == nil
}

// String says how the file changes, without its content: "+ /etc/k0s/a.yaml", "~ /etc/k0s/a.yaml (content, mode 0644 -> 0640)".
func (c FileChange) String() string {
	if c.Have.Digest == "" {
		return "+ " + c.Path
	}
	what := c.attributes()
	if c.Content() {
		what = append([]string{"content"}, what...)
	}
	return fmt.Sprintf("~ %s (%s)", c.Path, strings.Join(what, ", "))
}

// attributes lists how mode and owner differ, where they are declared.
func (c FileChange) attributes() []string {
	var out []string
	for _, a := range []struct{ name, have, want string }{
		{"mode", octal(c.Have.Mode), octal(c.Mode)}, {"owner", c.Have.Owner, c.Owner}, {"group", c.Have.Group, c.Group},
	} {
		if a.want != "" && a.have != a.want {
			out = append(out, fmt.Sprintf("%s %s -> %s", a.name, a.have, a.want))
		}
	}
	return out
}

// octal writes a mode with four digits, "0640"; what is not one stays as it is.
func octal(mode string) string {
	n, err := strconv.ParseUint(mode, 8, 32)
	if err != nil {
		return mode
	}
	return fmt.Sprintf("%04o", n)
}
