package site

import (
	"time"

	"kiban.dev/kiban/lifecycle"
)

// siteDocument is the form of a Site document. Field names are those of the YAML; what they mean, and why their defaults are what
// they are, stands in package lifecycle.
type siteDocument struct {
	APIVersion string       `yaml:"apiVersion"`
	Kind       string       `yaml:"kind"`
	Metadata   siteMetadata `yaml:"metadata"`
	Spec       siteSpec     `yaml:"spec"`
}

type siteMetadata struct {
	// Name is the overlay's folder name.
	Name   string            `yaml:"name"`
	Labels map[string]string `yaml:"labels"`
}

type siteSpec struct {
	Wave int `yaml:"wave"`
	// Provider is who runs the machines: k0s (kiban sets the cluster up on the site's hosts; the default), or external (someone else does,
	// such as EKS or AKS; kiban looks after what is in it, and there is no Cluster document).
	Provider string       `yaml:"provider"`
	SSH      sshSpec      `yaml:"ssh"`
	API      apiSpec      `yaml:"api"`
	Binaries binariesSpec `yaml:"binaries"`
	Backup   backupSpec   `yaml:"backup"`
	Upgrade  upgradeSpec  `yaml:"upgrade"`
	Platform platformSpec `yaml:"platform"`
	// Promotion is what the site waits for before it takes a version.
	Promotion promotionSpec `yaml:"promotion"`
	// Rehearse says which plans are rehearsed in their merge requests.
	Rehearse *rehearseSpec `yaml:"rehearse"`
	// Files are those that hosts are to have, by their path on the host.
	Files map[string]fileSpec `yaml:"files"`
}

type sshSpec struct {
	User           string   `yaml:"user"`
	Port           int      `yaml:"port"`
	KeyPath        string   `yaml:"keyPath"`
	KnownHosts     string   `yaml:"knownHosts"`
	ConnectTimeout duration `yaml:"connectTimeout"`
	KeepAlive      duration `yaml:"keepAlive"`
}

type apiSpec struct {
	// Via is "direct" or "ssh".
	Via      string `yaml:"via"`
	Endpoint string `yaml:"endpoint"`
	// Kubeconfig is where a kubeconfig is found, for a site of provider external.
	Kubeconfig *sourceSpec `yaml:"kubeconfig"`
	// Context is the one of the kubeconfig's contexts to use. Default: its current one.
	Context    string `yaml:"context"`
	ClusterUID string `yaml:"clusterUID"`
}

type binariesSpec struct {
	URL       string            `yaml:"url"`
	Checksums string            `yaml:"checksums"`
	SHA256    map[string]string `yaml:"sha256"`
}

type backupSpec struct {
	Recipients []string       `yaml:"recipients"`
	Keep       int            `yaml:"keep"`
	KeepFor    duration       `yaml:"keepFor"`
	To         []backupToSpec `yaml:"to"`
	Proven     duration       `yaml:"proven"`
}

type upgradeSpec struct {
	Path []version `yaml:"path"`
	// ControlPlane is how controllers go to another minor release.
	ControlPlane controlPlaneSpec `yaml:"controlPlane"`
	Workers      workersSpec      `yaml:"workers"`
	Drain        drainSpec        `yaml:"drain"`
	Settle       settleSpec       `yaml:"settle"`
	Windows      []windowSpec     `yaml:"windows"`
	Probes       []string         `yaml:"probes"`
	Accept       []acceptSpec     `yaml:"accept"`
}

type controlPlaneSpec struct {
	// Soak is how long the new control plane acts as its former release, and can go back to it.
	Soak duration `yaml:"soak"`
	// Commit is auto or manual.
	Commit string `yaml:"commit"`
}

func (c controlPlaneSpec) twoStep() lifecycle.TwoStep {
	t := lifecycle.TwoStep{Soak: time.Duration(c.Soak)}
	if c.Commit == lifecycle.CommitManual {
		t.Commit = c.Commit
	}
	return t
}

type acceptSpec struct {
	Finding string  `yaml:"finding"`
	Subject string  `yaml:"subject"`
	For     release `yaml:"for"`
	Because string  `yaml:"because"`
}

type workersSpec struct {
	MaxUnavailable share  `yaml:"maxUnavailable"`
	FailureDomain  string `yaml:"failureDomain"`
	Canary         int    `yaml:"canary"`
}

type drainSpec struct {
	Timeout            duration `yaml:"timeout"`
	GracePeriod        duration `yaml:"gracePeriod"`
	DeleteEmptyDirData bool     `yaml:"deleteEmptyDirData"`
	Force              bool     `yaml:"force"`
	EvictionRetry      duration `yaml:"evictionRetry"`
}

type settleSpec struct {
	NodeTimeout duration `yaml:"nodeTimeout"`
	StableFor   duration `yaml:"stableFor"`
	Timeout     duration `yaml:"timeout"`
	Reconnect   duration `yaml:"reconnect"`
}

type windowSpec struct {
	Days     []weekday `yaml:"days"`
	Start    clock     `yaml:"start"`
	End      clock     `yaml:"end"`
	TimeZone string    `yaml:"timeZone"`
}

// defaults is the Site that says nothing: the one place where defaults are decided. The binaries' are set after decoding, because
// a mirror must bring its own checksums.
func defaults() siteDocument {
	return siteDocument{Spec: siteSpec{
		Provider: string(lifecycle.ProviderK0s), Platform: platformSpec{ProbeImage: defaultProbeImage},
		SSH: sshSpec{User: "root", Port: 22, KnownHosts: "known_hosts", ConnectTimeout: duration(10 * time.Second),
			KeepAlive: duration(5 * time.Second)},
		API:    apiSpec{Via: "direct"},
		Backup: backupSpec{Keep: 10, KeepFor: duration(30 * 24 * time.Hour)},
		Upgrade: upgradeSpec{
			Workers: workersSpec{MaxUnavailable: "1", Canary: 1},
			Drain:   drainSpec{Timeout: duration(10 * time.Minute), DeleteEmptyDirData: true, EvictionRetry: duration(2 * time.Second)},
			Settle: settleSpec{NodeTimeout: duration(5 * time.Minute), StableFor: duration(5 * time.Second),
				Timeout: duration(10 * time.Minute), Reconnect: duration(90 * time.Second)},
		},
	}}
}

// fill writes what the document says into a Site. dir is the overlay's folder, which relative paths start from.
func (d siteDocument) fill(s *lifecycle.Site, dir string) {
	s.Labels, s.Wave = d.Metadata.Labels, d.Spec.Wave
	s.SSH = lifecycle.SSH{
		User: d.Spec.SSH.User, Port: d.Spec.SSH.Port,
		KeyPath: absolute(dir, d.Spec.SSH.KeyPath), KnownHosts: absolute(dir, d.Spec.SSH.KnownHosts),
		ConnectTimeout: time.Duration(d.Spec.SSH.ConnectTimeout), KeepAlive: time.Duration(d.Spec.SSH.KeepAlive),
	}
	s.Provider, s.Platform = lifecycle.Provider(d.Spec.Provider), d.Spec.Platform.platform()
	s.Promotion = d.Spec.Promotion.promotion()
	if r := d.Spec.Rehearse; r != nil {
		s.Rehearse.On = lifecycle.RehearseOn(r.On)
	}
	s.API = lifecycle.Access{ViaSSH: d.Spec.API.Via == "ssh", Endpoint: d.Spec.API.Endpoint, Context: d.Spec.API.Context,
		ClusterUID: d.Spec.API.ClusterUID}
	if d.Spec.API.Kubeconfig != nil {
		s.API.Kubeconfig = d.Spec.API.Kubeconfig.source()
	}
	s.Binary = lifecycle.Binaries{URL: lifecycle.ReleaseURL, Checksums: lifecycle.ReleaseChecksums, SHA256: d.Spec.Binaries.SHA256}
	if d.Spec.Binaries.URL != "" {
		s.Binary.URL, s.Binary.Checksums = absolute(dir, d.Spec.Binaries.URL), ""
	}
	if d.Spec.Binaries.Checksums != "" {
		s.Binary.Checksums = absolute(dir, d.Spec.Binaries.Checksums)
	}
	s.Backup = d.Spec.Backup.backups()
	u := d.Spec.Upgrade
	s.Policy = lifecycle.Policy{
		Workers: lifecycle.Rollout{MaxUnavailable: string(u.Workers.MaxUnavailable), FailureDomain: u.Workers.FailureDomain,
			Canary: u.Workers.Canary},
		Drain: lifecycle.Drain{
			Timeout: time.Duration(u.Drain.Timeout), GracePeriod: time.Duration(u.Drain.GracePeriod), DeleteEmptyDirData: u.Drain.DeleteEmptyDirData,
			Force: u.Drain.Force, EvictionRetry: time.Duration(u.Drain.EvictionRetry),
		},
		Settle: lifecycle.Settle{NodeTimeout: time.Duration(u.Settle.NodeTimeout), StableFor: time.Duration(u.Settle.StableFor),
			Timeout: time.Duration(u.Settle.Timeout), Reconnect: time.Duration(u.Settle.Reconnect)},
	}
	s.Policy.Probes, s.Policy.ControlPlane = u.Probes, u.ControlPlane.twoStep()
	for _, a := range u.Accept {
		s.Policy.Accept = append(s.Policy.Accept, lifecycle.Accepted{Finding: a.Finding, Subject: a.Subject, For: lifecycle.Version(a.For),
			Because: a.Because})
	}
	for _, v := range u.Path {
		s.Policy.Path = append(s.Policy.Path, lifecycle.Version(v))
	}
	for _, w := range u.Windows {
		window := lifecycle.Window{Start: int(w.Start), End: int(w.End), TimeZone: w.TimeZone}
		for _, day := range w.Days {
			window.Days = append(window.Days, time.Weekday(day))
		}
		s.Policy.Windows = append(s.Policy.Windows, window)
	}
}
