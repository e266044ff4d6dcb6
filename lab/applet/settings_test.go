package applet

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	apimachineryversion "k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/component-base/featuregate"
	"k8s.io/component-base/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app/options"
	adminoptions "k8s.io/kubernetes/pkg/kubeapiserver/options"
)

// span is a row of kiban's data: something that some minors of Kubernetes know.
type span struct {
	Name, From, To, Deprecated string
	Is                         []struct {
		At, Stage  string
		On, Locked bool
		Needs      []string
	}
}

// known is what kiban says of what this Kubernetes knows, read from the sources of its modules.
func known(t *testing.T) (minor string, data struct {
	Flags                       map[string][]span
	Gates, Plugins, Controllers []span
}) {
	t.Helper()
	b, err := os.ReadFile("../../lifecycle/readiness/data/settings.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &data); err != nil {
		t.Fatal(err)
	}
	return version.DefaultKubeBinaryVersion, data
}

// in reports whether a row holds in a minor. Minors of one length compare as text.
func (s span) in(minor string) bool { return s.From <= minor && (s.To == "" || minor <= s.To) }

func names(rows []span, minor string) []string {
	var out []string
	for _, r := range rows {
		if r.in(minor) {
			out = append(out, r.Name)
		}
	}
	slices.Sort(out)
	return out
}

func same(t *testing.T, what string, said, real []string) {
	t.Helper()
	slices.Sort(real)
	real = slices.Compact(real)
	for _, name := range real {
		if !slices.Contains(said, name) {
			t.Errorf("%s: %s is real, and kiban's data does not know it", what, name)
		}
	}
	for _, name := range said {
		if !slices.Contains(real, name) {
			t.Errorf("%s: kiban's data knows %s, and the program does not", what, name)
		}
	}
	if len(real) < 20 {
		t.Errorf("%s: the program has only %d", what, len(real))
	}
}

// TestSettingsAreReal holds what kiban says that this Kubernetes knows against the programs themselves: their flags and which of them are
// deprecated, feature gates with stage, default, lock and needs, admission plugins, and names of controllers.
func TestSettingsAreReal(t *testing.T) {
	minor, data := known(t)

	sets := map[string]*pflag.FlagSet{
		"kube-apiserver":          apiserver.NewAPIServerCommand().Flags(),
		"kube-controller-manager": controllermanager.NewControllerManagerCommand().Flags(),
		"kube-scheduler":          scheduler.NewSchedulerCommand().Flags(),
		"kubelet":                 pflag.NewFlagSet("kubelet", pflag.ContinueOnError),
	}
	kubelet.NewKubeletFlags().AddFlags(sets["kubelet"])
	configuration, err := kubelet.NewKubeletConfiguration()
	if err != nil {
		t.Fatal(err)
	}
	kubelet.AddKubeletConfigFlags(sets["kubelet"], configuration)
	kubelet.AddGlobalFlags(sets["kubelet"])
	for program, flags := range sets {
		real, deprecated := []string{"help"}, []string(nil)
		flags.VisitAll(func(f *pflag.Flag) {
			name := strings.ReplaceAll(f.Name, "_", "-")
			real = append(real, name)
			if f.Deprecated != "" || strings.HasPrefix(f.Usage, "DEPRECATED") {
				deprecated = append(deprecated, name)
			}
		})
		same(t, "flags of "+program, names(data.Flags[program], minor), real)
		for _, row := range data.Flags[program] {
			if said := row.Deprecated != ""; row.in(minor) && said != slices.Contains(deprecated, row.Name) {
				t.Errorf("%s: --%s deprecated: %v, and the program says %v", program, row.Name, said, !said)
			}
		}
	}

	gates := utilfeature.DefaultMutableFeatureGate.DeepCopy()
	real, needs := []string(nil), gates.Dependencies()
	for name, is := range gates.GetAll() {
		stage := strings.ToLower(string(is.PreRelease))
		if is.PreRelease == featuregate.GA {
			stage = "ga"
		}
		if stage == "prealpha" {
			continue // it may not be set in this minor
		}
		text := []string{}
		for _, n := range needs[name] {
			text = append(text, string(n))
		}
		slices.Sort(text)
		real = append(real, fmt.Sprintf("%s %s on=%v locked=%v needs=%v", name, stage, is.Default, is.LockToDefault, text))
	}
	var said []string
	for _, row := range data.Gates {
		if !row.in(minor) {
			continue
		}
		is := row.Is[0]
		for _, later := range row.Is {
			if later.At <= minor {
				is = later
			}
		}
		said = append(said, fmt.Sprintf("%s %s on=%v locked=%v needs=%v", row.Name, is.Stage, is.On, is.Locked, is.Needs))
	}
	same(t, "feature gates", said, real)

	plugins := admission.NewPlugins()
	adminoptions.RegisterAllAdmissionPlugins(plugins)
	same(t, "admission plugins", names(data.Plugins, minor), append(plugins.Registered(), "NamespaceLifecycle", "MutatingAdmissionPolicy",
		"MutatingAdmissionWebhook", "ValidatingAdmissionPolicy", "ValidatingAdmissionWebhook"))
	controllers := controllermanager.KnownControllers()
	for alias := range controllermanager.ControllerAliases() {
		controllers = append(controllers, alias)
	}
	same(t, "controllers", names(data.Controllers, minor), controllers)
}

// TestGatesAreRefusedAsSaid sets every gate to either value, as every minor that this Kubernetes can emulate, and holds what comes of it
// against what kiban's data makes of it: unknown, locked to another value, or at odds with a gate that needs it.
func TestGatesAreRefusedAsSaid(t *testing.T) {
	own, data := known(t)
	byName := map[string]span{}
	for _, row := range data.Gates {
		if row.in(own) {
			byName[row.Name] = row
		}
	}
	// Of these this Kubernetes tells another past than the releases had: they came later, with versions of before, or their lock was written
	// down later.
	rewritten := map[string]bool{"KubeProxyIPVS": true, "AllowServiceExternalIPs": true, "ImageVolumeWithDigest": true,
		"ServiceCIDRStatusFieldWiping": true, "ChangeContainerStatusOnKubeletRestart": true, "TopologyManagerPolicyOptions": true}
	tried, refused := 0, 0
	for back := range older + 1 {
		emulated := apimachineryversion.MustParse(own).SubtractMinor(uint(back))
		minor := fmt.Sprintf("%d.%d", emulated.Major(), emulated.Minor())
		for _, name := range slices.Sorted(maps.Keys(byName)) {
			for _, value := range []bool{true, false} {
				gates := utilfeature.DefaultMutableFeatureGate.DeepCopy()
				if err := gates.SetEmulationVersion(emulated); err != nil {
					t.Fatal(err)
				}
				err := gates.SetFromMap(map[string]bool{name: value})
				why := refusal(byName, own, minor, name, value)
				if (err != nil) != (why != "") && !rewritten[name] {
					t.Errorf("v%s, %s=%v: kiban's data says %q, and the program %v", minor, name, value, why, err)
				}
				if tried++; err != nil {
					refused++
				}
			}
		}
	}
	t.Logf("%d settings of gates tried, %d refused", tried, refused)
	if tried < 1000 || refused < 200 || refused > tried*3/4 {
		t.Errorf("%d settings were tried and %d refused: that shows little", tried, refused)
	}
}

// refusal is why a minor refuses a gate's value by kiban's data; "" where it does not. What gates need is that of the newest: a program
// that emulates an older minor keeps to its own.
func refusal(gates map[string]span, own, minor, name string, value bool) string {
	is := func(name, minor string) (spec struct {
		At, Stage  string
		On, Locked bool
		Needs      []string
	}, has bool) {
		row := gates[name]
		for _, s := range row.Is {
			if row.in(minor) && s.At <= minor {
				spec, has = s, true
			}
		}
		return spec, has
	}
	set, has := is(name, minor)
	switch {
	case !has:
		return "unknown"
	case set.Locked && set.On != value:
		return "locked"
	}
	on := func(other string) bool {
		if other == name {
			return value
		}
		spec, _ := is(other, minor)
		switch {
		case name == "AllAlpha" && spec.Stage == "alpha" || name == "AllBeta" && spec.Stage == "beta":
			return value
		}
		return spec.On
	}
	for other := range gates {
		spec, _ := is(other, own)
		for _, need := range spec.Needs {
			if on(other) && !on(need) {
				return other + " needs " + need
			}
		}
	}
	return ""
}
