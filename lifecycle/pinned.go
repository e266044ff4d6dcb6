package lifecycle

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// TwoStep is how a control plane goes to the next minor release in two steps: its new programs act as the former release for a while,
// during which it can go back. The zero TwoStep is the upgrade in one step.
type TwoStep struct {
	// Soak is how long the new programs act as the former release before that is given up; 0: not at all.
	Soak time.Duration `json:"soak,omitempty"`
	// Commit is CommitManual where only `kiban commit` gives up the way back; "" where a run does when the soak is over.
	Commit string `json:"commit,omitempty"`
}

// CommitManual is TwoStep.Commit where somebody says that it is for good.
const CommitManual = "manual"

// On reports whether the site asks for two steps.
func (t TwoStep) On() bool { return t.Soak > 0 }

// PinnedFormat is the version of Pinned's JSON form. Readers refuse another major.
const PinnedFormat = "1.0"

// Pinned is what a cluster keeps of a control plane that is held back to act as its former release.
type Pinned struct {
	Format string `json:"format"`
	// Former is what the controllers had when they were pinned, and act as; To is what they go to.
	Former Version `json:"former"`
	To     Version `json:"to"`
	// Since is when the pin was put on record; Soaks is when all controllers ran To, and acted as Former; zero before that.
	Since time.Time `json:"since"`
	Soaks time.Time `json:"soaks,omitzero"`
	// Storage is the hash of the version that each of Kubernetes' own resources is stored in, by its path, "apis/apps/v1/deployments", as
	// Former had it.
	Storage map[string]string `json:"storage,omitempty"`
	// Seen is when a look last found that the control plane could go back. Lost is when one found that it never can again, Why the reasons.
	Seen time.Time `json:"seen,omitzero"`
	Lost time.Time `json:"lost,omitzero"`
	Why  []string  `json:"why,omitempty"`
	// Ended is when the way back was given up or was gone; End says which: "commit", "back".
	Ended time.Time `json:"ended,omitzero"`
	End   string    `json:"end,omitempty"`
}

// The ends of a Pinned.
const (
	EndCommit = "commit"
	EndBack   = "back"
)

// The stages of a plan that are of an upgrade in two steps. A roll's has its version behind an "@".
const (
	StagePin    = "pin"
	StageRoll   = "roll"
	StageSoak   = "soak"
	StageCommit = "commit"
	StageBack   = "back"
	StageUnpin  = "unpin"
)

// Open reports whether the control plane is pinned, or about to be.
func (p Pinned) Open() bool { return !p.Since.IsZero() && p.Ended.IsZero() }

// emulatedVersion is the flag of Kubernetes' programs that makes them act as an earlier release.
const emulatedVersion = "emulated-version"

// EmulatingPrograms are the parts of k0s's configuration whose programs can act as an earlier release: the API server, the controller
// manager, the scheduler.
func EmulatingPrograms() []string { return []string{"api", "controllerManager", "scheduler"} }

// EmulatedMinor is how these programs are told of a release: "1.35".
func EmulatedMinor(v Version) string { return strings.TrimPrefix(v.MinorString(), "v") }

// Emulating is a k0s.yaml, as JSON with sorted keys, with which all three programs act as a minor release.
func Emulating(config []byte, v Version) ([]byte, error) {
	doc, err := decodeConfig(config)
	if err != nil {
		return nil, err
	}
	Emulate(doc, v)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(doc); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// Emulate writes that into a k0s.yaml that is taken apart.
func Emulate(doc map[string]any, v Version) {
	into := func(from map[string]any, key string) map[string]any {
		below, ok := from[key].(map[string]any)
		if !ok {
			below = map[string]any{}
			from[key] = below
		}
		return below
	}
	for _, part := range EmulatingPrograms() {
		into(into(into(doc, "spec"), part), "extraArgs")[emulatedVersion] = EmulatedMinor(v)
	}
}

// Emulated is the minor release that a k0s.yaml has all three programs act as, "1.35"; "" where it says nothing of it, or not the same of
// each.
func Emulated(config []byte) string {
	if !bytes.Contains(config, []byte(emulatedVersion)) {
		return ""
	}
	doc, err := decodeConfig(config)
	if err != nil {
		return ""
	}
	all := map[string]bool{}
	for _, part := range EmulatingPrograms() {
		at := doc
		for _, key := range []string{"spec", part, "extraArgs"} {
			at, _ = at[key].(map[string]any)
		}
		said, _ := at[emulatedVersion].(string)
		all[strings.TrimPrefix(said, "kube=")] = true
	}
	if len(all) != 1 {
		return ""
	}
	for minor := range all {
		return minor
	}
	return ""
}

func decodeConfig(config []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(config))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	if doc == nil {
		doc = map[string]any{}
	}
	return doc, nil
}

// SameEtcd reports whether two versions of k0s bring the same minor release of etcd.
func SameEtcd(a, b Version) bool { return etcdMinor(a) == etcdMinor(b) }
