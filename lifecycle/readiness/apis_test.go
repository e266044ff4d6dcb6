package readiness

import (
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func TestAPIDataCanBeRead(t *testing.T) {
	all, err := readAPIs(apiData)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 120 {
		t.Errorf("only %d APIs are known", len(all))
	}
	if _, err := readAPIs([]byte(`{"apis":[{"version":"v1","kind":"Pod"}]}`)); err == nil {
		t.Error("an API without a removal is taken")
	}
}

// TestServes over the releases 1.30 to 1.38: what Kubernetes' own deprecation guide and the types say.
func TestServes(t *testing.T) {
	for _, c := range []struct {
		api, kind string
		last      int // the last minor that serves it; 0: all do
	}{
		{"policy/v1beta1", "PodSecurityPolicy", 24},
		{"autoscaling/v2beta2", "HorizontalPodAutoscaler", 25},
		{"flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", 31},
		{"admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicy", 33},
		{"storage.k8s.io/v1alpha1", "VolumeAttributesClass", 34},
		{"networking.k8s.io/v1beta1", "IPAddress", 36},
		{"storage.k8s.io/v1beta1", "VolumeAttributesClass", 36},
		{"resource.k8s.io/v1beta1", "ResourceClaim", 37},
		{"apps/v1", "Deployment", 0},
		{"policy/v1", "PodDisruptionBudget", 0},
		{"example.org/v1beta1", "Ingress", 0},
	} {
		for m := 22; m <= 38; m++ {
			want := c.last == 0 || m <= c.last
			if got := Serves(lifecycle.Version{Major: 1, Minor: m}, c.api, c.kind); got != want {
				t.Errorf("%s %s: served by 1.%d is %v, not %v", c.api, c.kind, m, got, want)
			}
		}
	}
}

func TestFates(t *testing.T) {
	a := lifecycle.API{Group: "g", Version: "v1beta1", Kind: "K", Deprecated: "1.34", Removed: "1.37"}
	v := func(m int) lifecycle.Version {
		if m == 0 {
			return lifecycle.Version{}
		}
		return lifecycle.Version{Major: 1, Minor: m}
	}
	for _, c := range []struct {
		from, to int
		fate     fate
		sure     lifecycle.Rank
		unsure   lifecycle.Rank
	}{
		{36, 37, fateEnds, lifecycle.RankBlocks, lifecycle.RankAttention},
		{35, 38, fateEnds, lifecycle.RankBlocks, lifecycle.RankAttention},
		{0, 37, fateEnds, lifecycle.RankBlocks, lifecycle.RankAttention},
		{37, 38, fateGone, lifecycle.RankAttention, lifecycle.RankAttention},
		{35, 36, fateSoon, lifecycle.RankAttention, lifecycle.RankGood},
		{34, 35, fateSoon, lifecycle.RankAttention, lifecycle.RankGood},
		{33, 34, fateLater, lifecycle.RankGood, lifecycle.RankGood},
		{32, 33, fateNone, lifecycle.RankGood, lifecycle.RankGood}, // nobody has called it deprecated yet
	} {
		f := fateOf(a, v(c.from), v(c.to))
		if f != c.fate || (f != fateNone && (f.rank(true) != c.sure || f.rank(false) != c.unsure)) {
			t.Errorf("from %d to %d: %v, %s, %s", c.from, c.to, f, f.rank(true), f.rank(false))
		}
	}
}

func version(t *testing.T, s string) lifecycle.Version {
	t.Helper()
	v, err := lifecycle.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// shop is a site with an addon and a tenant, between 1.36 and 1.37.
func shop(t *testing.T) Input {
	return Input{
		Site: lifecycle.Site{Name: "tokyo",
			Addons: []lifecycle.Addon{{Name: "web", Namespace: "web-system",
				Chart: &lifecycle.Chart{Name: "web", Version: "1.0.0", Release: "web"}}},
			Tenants: []lifecycle.Tenant{{Name: "shop", Namespaces: []lifecycle.TenantNamespace{{Name: "shop-prod"}}}}},
		State:  lifecycle.State{API: lifecycle.APIState{Servers: []lifecycle.APIServer{{Host: "c1", Version: "v1.36.4+k0s"}}}},
		Target: version(t, "v1.37.2+k0s.0"),
		Now:    now,
	}
}

func answered() *lifecycle.APIEvidence { return &lifecycle.APIEvidence{} }

// one is the only finding there is.
func one(t *testing.T, r lifecycle.Readiness) lifecycle.ReadinessFinding {
	t.Helper()
	if len(r.Findings) != 1 {
		t.Fatalf("want one finding: %+v", r.Findings)
	}
	return r.Findings[0]
}

func attributesClass(at time.Time) []lifecycle.From[[]lifecycle.APIRequest] {
	return []lifecycle.From[[]lifecycle.APIRequest]{{Name: "c1", Answer: lifecycle.Answer[[]lifecycle.APIRequest]{
		Value: []lifecycle.APIRequest{{Group: "storage.k8s.io", Version: "v1beta1", Resource: "volumeattributesclasses", Removed: "1.37",
			Count: 12, Server: "c1", Since: at, Until: now}}}}}
}

func TestAskedLatelyBlocks(t *testing.T) {
	in := shop(t)
	in.Evidence.APIs = answered()
	in.Evidence.APIs.Requests = attributesClass(now.Add(-time.Hour))
	in.Evidence.APIs.Calls = []lifecycle.From[[]lifecycle.APICall]{{Name: "c1", Answer: lifecycle.Answer[[]lifecycle.APICall]{
		Value: []lifecycle.APICall{{Group: "storage.k8s.io", Version: "v1beta1", Resource: "volumeattributesclasses", Verb: "list",
			User: "system:serviceaccount:shop-prod:backup", Agent: "velero/1.9 (linux)", Removed: "1.37", Last: now.Add(-2 * time.Hour)}}}}}
	f := one(t, Check(in))
	if f.Rank != lifecycle.RankBlocks || f.Rule != "removed-api" || f.Owner != "tenant shop" || f.Breaks != "v1.37" {
		t.Errorf("%+v", f)
	}
	if !strings.Contains(f.Remedy, "Have velero/1.9 use storage.k8s.io/v1.") {
		t.Errorf("remedy: %s", f.Remedy)
	}
	if len(f.Seen) != 2 || !strings.Contains(f.Seen[0], "system:serviceaccount:shop-prod:backup (velero/1.9 (linux)), list") ||
		!strings.Contains(f.Seen[1], "API server of c1: 12 requests") {
		t.Errorf("seen: %q", f.Seen)
	}
}

// TestAskedLongAgoDoesNotBlock: the server has run for months, and nobody knows when it was asked.
func TestAskedLongAgoDoesNotBlock(t *testing.T) {
	in := shop(t)
	in.Evidence.APIs = answered()
	in.Evidence.APIs.Requests = attributesClass(now.Add(-60 * 24 * time.Hour))
	f := one(t, Check(in))
	if f.Rank != lifecycle.RankAttention || !strings.Contains(f.Summary, "whether it still is, is not known") {
		t.Errorf("%+v", f)
	}
}

// TestKeptRequestsCount: the server that was asked has restarted since.
func TestKeptRequestsCount(t *testing.T) {
	in := shop(t)
	in.Evidence.APIs = answered()
	in.Evidence.APIs.Kept.Value = attributesClass(now.Add(-24 * time.Hour))[0].Value
	if f := one(t, Check(in)); f.Rank != lifecycle.RankBlocks {
		t.Errorf("%+v", f)
	}
}

// TestServerKnowsMore: what the data does not have is as the server tells; what no release removes is nobody's trouble.
func TestServerKnowsMore(t *testing.T) {
	in := shop(t)
	in.Target = version(t, "v1.45.0+k0s.0")
	in.Evidence.APIs = answered()
	in.Evidence.APIs.Requests = []lifecycle.From[[]lifecycle.APIRequest]{{Name: "c1", Answer: lifecycle.Answer[[]lifecycle.APIRequest]{
		Value: []lifecycle.APIRequest{
			{Group: "new.k8s.io", Version: "v1beta1", Resource: "things", Removed: "1.44", Server: "c1", Since: now, Until: now},
			{Group: "", Version: "v1", Resource: "endpoints", Server: "c1", Since: now, Until: now},
		}}}}
	if f := one(t, Check(in)); f.Subject != "new.k8s.io/v1beta1 things" || f.Rank != lifecycle.RankBlocks {
		t.Errorf("%+v", f)
	}
}

func TestUnaskedIsNotAbsent(t *testing.T) {
	in := shop(t)
	in.Evidence.APIs = answered()
	e := in.Evidence.APIs
	e.Requests = []lifecycle.From[[]lifecycle.APIRequest]{{Name: "c2", Answer: lifecycle.Answer[[]lifecycle.APIRequest]{Unknown: "forbidden"}}}
	e.Kept.Unknown = "no answer"
	e.Calls = []lifecycle.From[[]lifecycle.APICall]{{Name: "c2", Answer: lifecycle.Answer[[]lifecycle.APICall]{Unknown: "no such file"}}}
	e.Writes.Unknown = "forbidden"
	e.Releases.Unknown = "forbidden"
	e.Declared = []lifecycle.From[[]lifecycle.DeclaredAPI]{{Name: "addon/web", Answer: lifecycle.Answer[[]lifecycle.DeclaredAPI]{
		Unknown: "the chart can't be had"}}}
	r := Check(in)
	if r.NotSeen() != 6 || r.IsReady() {
		t.Errorf("unseen: %+v", r.Unseen)
	}
	for _, u := range r.Unseen {
		if u.What == "" || u.Why == "" {
			t.Errorf("%+v", u)
		}
	}
}

func TestReleases(t *testing.T) {
	class := lifecycle.ObjectRef{APIVersion: "storage.k8s.io/v1beta1", Kind: "VolumeAttributesClass", Name: "fast"}
	old := lifecycle.ObjectRef{APIVersion: "policy/v1beta1", Kind: "PodSecurityPolicy", Name: "all"}
	next := lifecycle.ObjectRef{APIVersion: "resource.k8s.io/v1beta1", Kind: "DeviceClass", Name: "gpu"}
	for name, c := range map[string]struct {
		namespace, release string
		object             lifecycle.ObjectRef
		rank               lifecycle.Rank
		owner, summary     string
		remedy             string
	}{
		"of an addon": {"web-system", "web", class, lifecycle.RankBlocks, "addon web", "can't upgrade it once v1.37 runs",
			"a chart that makes storage.k8s.io/v1 before v1.37, or rewrite its record: helm mapkubeapis web --namespace web-system"},
		"of a tenant": {"shop-prod", "cart", class, lifecycle.RankBlocks, "tenant shop", "can't upgrade it once v1.37 runs",
			"helm mapkubeapis cart"},
		"gone already":        {"shop-prod", "cart", old, lifecycle.RankAttention, "tenant shop", "since v1.25 already", "helm mapkubeapis cart"},
		"ends a little later": {"other", "gpu", next, lifecycle.RankAttention, "", "once v1.38 runs", "makes resource.k8s.io/v1"},
	} {
		in := shop(t)
		in.Evidence.APIs = answered()
		in.Evidence.APIs.Releases.Value = lifecycle.ReleaseAPIs{Looked: 3, Releases: []lifecycle.ReleaseAPI{
			{Namespace: c.namespace, Name: c.release, Revision: 4, Chart: "x-1.0.0", Objects: []lifecycle.ObjectRef{c.object}}}}
		r := Check(in)
		f := one(t, r)
		if f.Rank != c.rank || f.Owner != c.owner || !strings.Contains(f.Summary, c.summary) || !strings.Contains(f.Remedy, c.remedy) {
			t.Errorf("%s: %+v", name, f)
		}
		if !strings.Contains(strings.Join(r.Looked, "; "), "3 Helm releases") {
			t.Errorf("%s: looked at %v", name, r.Looked)
		}
	}
}

// TestReleaseThatIsReplacedFirst: the plan applies addons before it changes the version, so what counts is the chart that is declared.
func TestReleaseThatIsReplacedFirst(t *testing.T) {
	class := lifecycle.ObjectRef{APIVersion: "storage.k8s.io/v1beta1", Kind: "VolumeAttributesClass", Name: "fast"}
	in := shop(t)
	in.Evidence.APIs = answered()
	in.Evidence.APIs.Declared = []lifecycle.From[[]lifecycle.DeclaredAPI]{{Name: "addon/web"}}
	in.Evidence.APIs.Releases.Value = lifecycle.ReleaseAPIs{Looked: 1, Releases: []lifecycle.ReleaseAPI{
		{Namespace: "web-system", Name: "web", Objects: []lifecycle.ObjectRef{class}}}}
	if r := Check(in); len(r.Findings) > 0 {
		t.Errorf("%+v", r.Findings)
	}
	in.Evidence.APIs.Declared = declares("addon/web", class, "chart web-1.0.0.tgz")
	if f := one(t, Check(in)); f.Rank != lifecycle.RankBlocks ||
		!strings.Contains(f.Remedy, "to a chart that makes storage.k8s.io/v1") {
		t.Errorf("%+v", f)
	}
}

// TestReleaseAndChartAreOneFinding: what the release has is what the chart makes.
func TestReleaseAndChartAreOneFinding(t *testing.T) {
	class := lifecycle.ObjectRef{APIVersion: "storage.k8s.io/v1beta1", Kind: "VolumeAttributesClass", Name: "fast"}
	in := shop(t)
	in.Evidence.APIs = answered()
	in.Evidence.APIs.Releases.Value = lifecycle.ReleaseAPIs{Looked: 1, Releases: []lifecycle.ReleaseAPI{
		{Namespace: "web-system", Name: "web", Objects: []lifecycle.ObjectRef{class}}}}
	in.Evidence.APIs.Declared = declares("addon/web", class, "chart web-1.0.0.tgz")
	one(t, Check(in))
}

func declares(unit string, o lifecycle.ObjectRef, source string) []lifecycle.From[[]lifecycle.DeclaredAPI] {
	return []lifecycle.From[[]lifecycle.DeclaredAPI]{{Name: unit, Answer: lifecycle.Answer[[]lifecycle.DeclaredAPI]{
		Value: []lifecycle.DeclaredAPI{{ObjectRef: o, Source: source}}}}}
}

func TestDeclared(t *testing.T) {
	at := "overlays/tokyo/address.yaml:3"
	for name, c := range map[string]struct {
		object lifecycle.ObjectRef
		rank   lifecycle.Rank
		owner  string
		remedy string
	}{
		"ends": {lifecycle.ObjectRef{APIVersion: "networking.k8s.io/v1beta1", Kind: "ServiceCIDR", Name: "more"}, lifecycle.RankBlocks, "",
			"Write apiVersion: networking.k8s.io/v1; kiban ready tokyo --fix"},
		"of a tenant": {lifecycle.ObjectRef{APIVersion: "resource.k8s.io/v1beta1", Kind: "ResourceClaim", Namespace: "shop-prod", Name: "g"},
			lifecycle.RankAttention, "tenant shop", "Write apiVersion: resource.k8s.io/v1"},
		"gone": {lifecycle.ObjectRef{APIVersion: "policy/v1beta1", Kind: "PodSecurityPolicy", Name: "all"}, lifecycle.RankAttention, "",
			"Take it out: it has no successor."},
		"another group": {lifecycle.ObjectRef{APIVersion: "extensions/v1beta1", Kind: "Ingress", Namespace: "shop-prod", Name: "web"},
			lifecycle.RankAttention, "tenant shop", "Write apiVersion: networking.k8s.io/v1"},
	} {
		in := shop(t)
		in.Evidence.APIs = answered()
		in.Evidence.APIs.Declared = declares(lifecycle.UnitObjects, c.object, at)
		f := one(t, Check(in))
		if f.Rank != c.rank || f.Owner != c.owner || !strings.Contains(f.Remedy, c.remedy) || !strings.Contains(f.Seen[0], at) {
			t.Errorf("%s: %+v", name, f)
		}
	}
	in := shop(t)
	in.Evidence.APIs = answered()
	web := lifecycle.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}
	in.Evidence.APIs.Declared = declares(lifecycle.UnitObjects, web, at)
	if r := Check(in); len(r.Findings) > 0 {
		t.Errorf("%+v", r.Findings)
	}
}

func TestWritten(t *testing.T) {
	write := func(namespace, name, manager string, at time.Time) lifecycle.APIWrite {
		return lifecycle.APIWrite{API: "resource.k8s.io/v1beta1", Manager: manager, At: at,
			Object: lifecycle.ObjectRef{APIVersion: "resource.k8s.io/v1", Kind: "ResourceClaim", Namespace: namespace, Name: name}}
	}
	in := shop(t)
	in.Target = version(t, "v1.38.0+k0s.0")
	in.Evidence.APIs = answered()
	in.Evidence.APIs.Writes.Value = lifecycle.APIWrites{Objects: 40, Kinds: 4, Teams: map[string]string{"lab": "payments"},
		Writes: []lifecycle.APIWrite{
			write("shop-prod", "a", "argocd-controller", now.Add(-time.Hour)),
			write("shop-prod", "b", "argocd-controller", now.Add(-50*time.Hour)),
			write("lab", "c", "kubectl", now.Add(-100*24*time.Hour)),
		}}
	r := Check(in)
	if len(r.Findings) != 2 {
		t.Fatalf("%+v", r.Findings)
	}
	if f := r.Findings[0]; f.Rank != lifecycle.RankBlocks || f.Owner != "tenant shop" || !strings.HasPrefix(f.Subject, "2 objects of") ||
		!strings.Contains(f.Remedy, "Have argocd-controller write resource.k8s.io/v1:") {
		t.Errorf("%+v", f)
	}
	if f := r.Findings[1]; f.Rank != lifecycle.RankAttention || f.Owner != "team payments" || !strings.Contains(f.Summary, "is not known") {
		t.Errorf("%+v", f)
	}
}

// TestHealthySiteHasNone: current APIs, asked, stored and declared, say nothing.
func TestHealthySiteHasNone(t *testing.T) {
	in := shop(t)
	in.Evidence.APIs = answered()
	in.Evidence.APIs.Requests = []lifecycle.From[[]lifecycle.APIRequest]{{Name: "c1"}}
	in.Evidence.APIs.Writes.Value = lifecycle.APIWrites{Objects: 10, Kinds: 2, Writes: []lifecycle.APIWrite{{API: "apps/v1",
		Manager: "kubectl", Object: lifecycle.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}, At: now}}}
	if r := Check(in); len(r.Findings) > 0 || !r.IsReady() {
		t.Errorf("%+v", r)
	}
}

// TestMadeOnlyAtTheTarget: what a chart makes of a removed API once the target runs can be applied now, and not after.
func TestMadeOnlyAtTheTarget(t *testing.T) {
	in := shop(t)
	in.Evidence.APIs = answered()
	ref := lifecycle.ObjectRef{APIVersion: "batch/v1beta1", Kind: "CronJob", Namespace: "web", Name: "nightly"}
	old := lifecycle.DeclaredAPI{ObjectRef: ref, Source: "chart web-1.2.0"}
	for later, want := range map[bool]string{
		false: "needs attention: it is declared as batch/v1beta1, which v1.25 no longer serves; it can't be applied now either",
		true: "blocks: it is declared as batch/v1beta1, which v1.25 no longer serves: the chart makes it so once " + in.Target.String() +
			" runs"} {
		old.Later = later
		in.Evidence.APIs.Declared = []lifecycle.From[[]lifecycle.DeclaredAPI]{{Name: "addon/web",
			Answer: lifecycle.Answer[[]lifecycle.DeclaredAPI]{Value: []lifecycle.DeclaredAPI{old}}}}
		if f := one(t, Check(in)); string(f.Rank)+": "+f.Summary != want {
			t.Errorf("%s: %s, want %s", f.Rank, f.Summary, want)
		}
	}
}

// TestSuccessorIsServedNow: what is proposed is served by what runs and by the target; where nothing is, that is said.
func TestSuccessorIsServedNow(t *testing.T) {
	for _, c := range []struct {
		from, to  int
		api, kind string
		want      string
	}{
		{36, 37, "resource.k8s.io/v1beta1", "ResourceClaim", "Write apiVersion: resource.k8s.io/v1;"},
		{32, 33, "resource.k8s.io/v1alpha3", "ResourceClaim", "Write apiVersion: resource.k8s.io/v1beta1;"},
		{33, 34, "storage.k8s.io/v1beta1", "VolumeAttributesClass", "storage.k8s.io/v1 VolumeAttributesClass, begins with v1.34"},
		{34, 35, "storage.k8s.io/v1beta1", "VolumeAttributesClass", "Write apiVersion: storage.k8s.io/v1;"},
		{24, 25, "policy/v1beta1", "PodSecurityPolicy", "Take it out: it has no successor."},
		{24, 25, "batch/v1beta1", "CronJob", "Write apiVersion: batch/v1;"},
		{30, 32, "flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", "Write apiVersion: flowcontrol.apiserver.k8s.io/v1;"},
	} {
		l := apiLook{Input: Input{Target: lifecycle.Version{Major: 1, Minor: c.to}}, table: tableOf(APIs()),
			from: lifecycle.Version{Major: 1, Minor: c.from}}
		a, known := l.table.kind(c.api, c.kind)
		if got := l.redeclare(lifecycle.UnitObjects, a, "x.yaml:1"); !known || !strings.Contains(got, c.want) {
			t.Errorf("%s %s from 1.%d to 1.%d: %q lacks %q", c.api, c.kind, c.from, c.to, got, c.want)
		}
	}
}
