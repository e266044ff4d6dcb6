package addons

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// shop is an addon of a chart with a Deployment, and objects tied to it.
func shop(version string) lifecycle.Addon {
	return lifecycle.Addon{Name: "shop", Namespace: "shop", Timeout: 30 * time.Millisecond,
		Chart: &lifecycle.Chart{Name: "shop", Version: version, Release: "shop"}}
}

// stocked is a cluster for which charts of shop can be had: 1 and 2 are well, 3 never gets healthy, 4 has lost its ConfigMap.
func stocked() *cluster {
	c := newCluster()
	for _, version := range []string{"1", "2", "3", "4"} {
		objs := []lifecycle.Object{object("apps/v1", "Deployment", "", "shop", version)}
		if version != "4" {
			objs = append(objs, object("v1", "ConfigMap", "", "shop", version))
		}
		c.charts["shop "+version] = objs
	}
	c.sick[string(c.charts["shop 3"][0].JSON)] = true
	return c
}

func siteOf(addons ...lifecycle.Addon) lifecycle.Site {
	return lifecycle.Site{Name: "lab", Addons: addons}
}

func TestInstallUpgradeAndNothingAfter(t *testing.T) {
	c := stocked()
	a := shop("1")
	a.Objects = []lifecycle.Document{
		{APIVersion: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "early",
			YAML: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: early, namespace: shop}\n")},
		{APIVersion: "v1", Kind: "Service", Namespace: "shop", Name: "late",
			YAML: []byte("apiVersion: v1\nkind: Service\nmetadata: {name: late, namespace: shop}\n")},
	}
	mustConverge(t, c.engine(siteOf(a)))
	want := []string{"note addon/shop", "apply Namespace shop", "apply ConfigMap shop/early", "deploy shop 1", "apply Service shop/late",
		"note addon/shop"}
	if !slices.Equal(c.did, want) {
		t.Errorf("did %q, want %q", c.did, want)
	}
	c.did = nil
	mustConverge(t, c.engine(siteOf(a)))
	if len(c.did) > 0 {
		t.Errorf("nothing has changed, and it did %q", c.did)
	}
	next := shop("2")
	next.Objects = a.Objects
	s := stateOf(t, c.engine(siteOf(next)), "addon/shop")
	if len(s.Changes) != 2 || s.Changed != "chart 1 -> 2" || s.Release.Version != "1" || s.Unchanged != 3 {
		t.Errorf("an upgrade is seen as %+v", s)
	}
	mustConverge(t, c.engine(siteOf(next)))
	if inv := c.inventories["addon/shop"]; inv.Healthy != 2 || inv.Version != "2" || inv.Unfinished() {
		t.Errorf("the inventory is %+v", inv)
	}
}

// A chart that never gets healthy: the former release comes back, and the error names the reason.
func TestFailingUpgradeGoesBack(t *testing.T) {
	c := stocked()
	mustConverge(t, c.engine(siteOf(shop("1"))))
	c.did = nil
	err := converge(t, c.engine(siteOf(shop("3"))))
	if err == nil || !strings.Contains(err.Error(), "1 runs again and is healthy") || !strings.Contains(err.Error(), "CrashLoopBackOff") {
		t.Fatalf("the error is %v", err)
	}
	if !slices.Contains(c.did, "rollback shop to 1") {
		t.Errorf("did %q", c.did)
	}
	if got := stateOf(t, c.engine(siteOf(shop("1"))), "addon/shop"); len(got.Changes) > 0 || got.Changed != "" {
		t.Errorf("with the former version declared again, something is left: %+v", got)
	}
	if got := stateOf(t, c.engine(siteOf(shop("3"))), "addon/shop"); got.Changed != "chart 1 -> 3" {
		t.Errorf("the failed version is no longer due: %+v", got)
	}
}

func TestFailingInstallHasNoWayBack(t *testing.T) {
	err := converge(t, stocked().engine(siteOf(shop("3"))))
	if err == nil || !strings.Contains(err.Error(), "no former release") {
		t.Errorf("the error is %v", err)
	}
}

// Whatever moment a run is killed at, the same command reaches the same end, and a bad chart still finds the way to the good one.
func TestKilledAnywhere(t *testing.T) {
	for cut := 0; ; cut++ {
		c := stocked()
		mustConverge(t, c.engine(siteOf(shop("1"))))
		c.cut = cut
		err := converge(t, c.engine(siteOf(shop("4"))))
		c.cut = -1
		mustConverge(t, c.engine(siteOf(shop("4"))))
		if _, there := c.objects["/ConfigMap/shop/shop"]; there {
			t.Errorf("killed after %d writes, what left the chart is still there", cut)
		}
		if err == nil {
			break // it was not cut off any more
		}
	}
	for cut := 0; ; cut++ {
		c := stocked()
		mustConverge(t, c.engine(siteOf(shop("1"))))
		c.cut = cut
		first := converge(t, c.engine(siteOf(shop("3"))))
		c.cut = -1
		_ = converge(t, c.engine(siteOf(shop("3")))) // it fails
		if h := c.releases["shop/shop"]; h[len(h)-1].version != "1" {
			t.Errorf("killed after %d writes of a bad upgrade, the release ends at %s", cut, h[len(h)-1].version)
		}
		if first != nil && !strings.Contains(first.Error(), "killed") {
			break
		}
	}
}

func TestDriftIsToldFromADeclaredChange(t *testing.T) {
	c := stocked()
	mustConverge(t, c.engine(siteOf(shop("1"))))
	c.objects["/ConfigMap/shop/shop"] = "edited"
	delete(c.objects, "apps/Deployment/shop/shop")
	for _, ch := range stateOf(t, c.engine(siteOf(shop("1"))), "addon/shop").Changes {
		if !ch.Drift {
			t.Errorf("%s was changed by hand, and is told as declared", ch.ObjectRef)
		}
	}
	mustConverge(t, c.engine(siteOf(shop("1"))))
	if got := c.objects["/ConfigMap/shop/shop"]; got == "edited" {
		t.Error("it was not put back")
	}
}

func TestAdoption(t *testing.T) {
	c := stocked()
	c.objects["/Namespace//shop"] = string(object("v1", "Namespace", "", "shop", "").JSON)
	c.become("shop/shop", revision{"shop", "1", "deployed", newScopes().place(c.charts["shop 1"], "shop")})
	s := stateOf(t, c.engine(siteOf(shop("1"))), "addon/shop")
	if !s.Adopts || !s.Installed {
		t.Errorf("a release that others made is seen as %+v", s)
	}
	err := converge(t, c.engine(siteOf(shop("3"))))
	if err == nil || !strings.Contains(err.Error(), "1 runs again") {
		t.Errorf("a bad upgrade of an adopted release ends with %v", err)
	}
	mustConverge(t, c.engine(siteOf(shop("2"))))
}

func TestWhatLeavesTheRepository(t *testing.T) {
	c := stocked()
	site := siteOf(shop("1"))
	site.Tenants = []lifecycle.Tenant{{Name: "product-a"}}
	mustConverge(t, c.engine(site))
	e := c.engine(lifecycle.Site{Name: "lab"})
	change := map[string]lifecycle.ChangeKind{}
	for _, s := range look(t, e) {
		if s.Declared {
			t.Errorf("%s is still declared", s.Name)
		}
		for _, ch := range s.Changes {
			change[ch.ObjectRef.String()] = ch.Change
		}
	}
	if change["Namespace shop"] != lifecycle.ChangeKeep || change["Namespace product-a"] != lifecycle.ChangeDelete ||
		change["Deployment shop/shop"] != lifecycle.ChangeDelete {
		t.Errorf("what would become of the objects: %v", change)
	}
	if err := converge(t, e); err != nil {
		t.Fatal(err)
	}
	if len(c.inventories) > 0 || len(c.releases) > 0 || len(c.objects) != 1 {
		t.Errorf("left are %v, releases %v, inventories %v", c.objects, c.releases, c.inventories)
	}
	if len(look(t, e)) != 0 {
		t.Error("what was removed is still seen")
	}
	mustConverge(t, c.engine(site)) // the commit that removed it is reverted
	if inv := c.inventories["addon/shop"]; inv.Version != "1" || inv.Unfinished() || len(c.objects) < 3 {
		t.Errorf("what is declared again has %+v, %v", inv, c.objects)
	}
}

// A step deletes what it says and nothing else, be the namespace in the inventory.
func TestPruneKeepsWhatTheStepKeeps(t *testing.T) {
	c := stocked()
	site := lifecycle.Site{Name: "lab", Tenants: []lifecycle.Tenant{{Name: "product-a"}}}
	mustConverge(t, c.engine(site))
	step := lifecycle.Step{Action: lifecycle.ActionPrune, Target: "tenant/product-a", Objects: []lifecycle.ObjectChange{
		{ObjectRef: lifecycle.ObjectRef{APIVersion: "v1", Kind: "Namespace", Name: "product-a"}, Change: lifecycle.ChangeKeep}}}
	if err := c.engine(lifecycle.Site{Name: "lab"}).Do(t.Context(), step, nil); err != nil {
		t.Fatal(err)
	}
	if _, there := c.objects["/Namespace//product-a"]; !there {
		t.Error("a namespace went that was to be kept")
	}
	if err := c.engine(site).Do(t.Context(), step, nil); err == nil {
		t.Error("a tenant that is declared again is pruned")
	}
}

// The addon's document gets another name, and its release stays: it must not be uninstalled with the old name.
func TestRenamedAddonKeepsItsRelease(t *testing.T) {
	c := stocked()
	mustConverge(t, c.engine(siteOf(shop("1"))))
	renamed := shop("1")
	renamed.Name = "store"
	mustConverge(t, c.engine(siteOf(renamed)))
	if len(c.releases) != 1 || len(c.inventories) != 1 || c.inventories["addon/store"].Unit == "" || slices.Contains(c.did, "uninstall shop") {
		t.Errorf("did %q, inventories %v", c.did, c.inventories)
	}
}

func TestSecrets(t *testing.T) {
	a := shop("1")
	a.Secrets = []lifecycle.Secret{{Name: "keys", Keys: map[string]lifecycle.SecretSource{"api-key": {Env: "SHOP_KEY"}}}}
	c := stocked()
	found := stateOf(t, c.engine(siteOf(a)), "addon/shop").Diagnostics
	if found.Err() == nil || !strings.Contains(found.Error(), "$SHOP_KEY") || !strings.Contains(found.Error(), "shop") {
		t.Errorf("a value that is nowhere gives %v", found)
	}
	c.secrets["SHOP_KEY"] = "s3cr3t"
	mustConverge(t, c.engine(siteOf(a)))
	first := c.inventories["addon/shop"]
	delete(c.secrets, "SHOP_KEY")
	s := stateOf(t, c.engine(siteOf(a)), "addon/shop")
	if len(s.Changes) > 0 || s.Diagnostics.Err() != nil || len(s.Ignored) != 1 ||
		!strings.Contains(s.Ignored[0], "stays as the cluster has it") {
		t.Errorf("a value that only the cluster has gives %+v", s)
	}
	next := shop("2")
	next.Secrets = a.Secrets
	mustConverge(t, c.engine(siteOf(next)))
	if _, there := c.objects["/Secret/shop/keys"]; !there {
		t.Error("the Secret was pruned")
	}
	ref := lifecycle.ObjectRef{APIVersion: "v1", Kind: "Secret", Namespace: "shop", Name: "keys"}
	if was, _ := first.Find(ref); was.Digest == "" {
		t.Error("the inventory does not have the Secret")
	}
	a.Secrets = []lifecycle.Secret{{Name: "made-by-others"}}
	if found := stateOf(t, stocked().engine(siteOf(a)), "addon/shop").Diagnostics; found.Err() == nil {
		t.Error("a Secret that somebody else is to make is not missed")
	}
	for says, from := range map[string]lifecycle.SecretSource{"comes from $K2, which is not set": {Env: "K2"},
		"comes from keys.txt, which is not there": {File: "keys.txt"}} {
		a.Secrets = []lifecycle.Secret{{Name: "keys", Keys: map[string]lifecycle.SecretSource{"k": from}}}
		if found := stateOf(t, stocked().engine(siteOf(a)), "addon/shop").Diagnostics; found.Err() == nil ||
			!strings.Contains(found.Error(), says) {
			t.Errorf("found %v, want %q", found, says)
		}
	}
}

// Rotating a secret is a change; its digest tells nothing of the value.
func TestDigestsTellNoSecrets(t *testing.T) {
	c := stocked()
	a := shop("1")
	a.Secrets = []lifecycle.Secret{{Name: "keys", Keys: map[string]lifecycle.SecretSource{"k": {Env: "K"}}}}
	var digests []string
	for _, value := range []string{"one", "two"} {
		c.secrets["K"] = value
		digests = append(digests, stateOf(t, c.engine(siteOf(a)), "addon/shop").Digest)
	}
	if digests[0] != digests[1] {
		t.Error("the digest depends on a secret's value")
	}
}

func TestRefusals(t *testing.T) {
	circle := func(name, on string) lifecycle.Addon {
		a := shop("1")
		a.Name, a.Namespace, a.DependsOn = name, name, []string{on}
		return a
	}
	twice := shop("1")
	twice.Name = "store"
	declared := shop("9")
	declared.Source = "overlays/lab/shop.yaml:3"
	lonely := circle("a", "metalb")
	lonely.DependsOn, lonely.Lines = []string{"shop", "metalb"},
		lifecycle.Lines{"spec.dependsOn[0]": "overlays/lab/shop.yaml:8", "spec.dependsOn[1]": "overlays/lab/shop.yaml:9"}
	keyless := shop("1")
	keyless.Secrets = []lifecycle.Secret{{Name: "first"}, {Name: "made-by-others"}}
	keyless.Lines = lifecycle.Lines{"spec.secrets[name=made-by-others]": "overlays/lab/shop.yaml:12",
		"spec.secrets": "overlays/lab/shop.yaml:10"}
	homeless := siteOf(shop("1"))
	homeless.Tenants = []lifecycle.Tenant{{Name: "shop"}}
	cases := map[string]struct {
		site lifecycle.Site
		unit string
		says string
	}{
		"its namespace is a tenant's": {homeless, "addon/shop", "comes after it"},
		"a circle":                    {siteOf(circle("a", "b"), circle("b", "a")), "addon/a", "circle"},
		"an absent dependency":        {siteOf(circle("a", "metalb")), "addon/a", "metalb"},
		"two of one object":           {siteOf(shop("1"), twice), "addon/store", "are declared by addon/shop too"},
		"no such chart":               {siteOf(shop("9")), "addon/shop", "no chart"},
		"a dependency's line":         {siteOf(shop("1"), lonely), "addon/a", "overlays/lab/shop.yaml:9: it depends on addon metalb"},
		"a secret's line":             {siteOf(keyless), "addon/shop", "overlays/lab/shop.yaml:12: addon shop needs Secret shop/made-by-others"},
		"a chart's declaration":       {siteOf(declared), "addon/shop", "overlays/lab/shop.yaml:3"},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			c := stocked()
			found := stateOf(t, c.engine(tt.site), tt.unit).Diagnostics
			if found.Err() == nil || !strings.Contains(found.Error(), tt.says) {
				t.Errorf("found %v", found)
			}
			if err := c.engine(tt.site).Do(t.Context(), lifecycle.Step{Action: lifecycle.ActionApply, Target: tt.unit}, nil); err == nil ||
				len(c.did) > 0 {
				t.Errorf("it was carried out: %v %q", err, c.did)
			}
		})
	}
}

// What was shown is what runs: a unit that renders to something else than planned is refused before anything is written.
func TestStaleStepIsRefused(t *testing.T) {
	c := stocked()
	step := due(look(t, c.engine(siteOf(shop("1")))))[0]
	if err := c.engine(siteOf(shop("2"))).Do(t.Context(), step, nil); err == nil || len(c.did) > 0 {
		t.Errorf("%v, did %q", err, c.did)
	}
	if err := c.engine(lifecycle.Site{}).Do(t.Context(), step, nil); err == nil || len(c.did) > 0 {
		t.Errorf("a unit that is not declared any more: %v, did %q", err, c.did)
	}
}

func TestOrderOfUnits(t *testing.T) {
	widgets := lifecycle.Object{ObjectRef: lifecycle.ObjectRef{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition",
		Name: "widgets.shop.example"},
		JSON: []byte(`{"spec":{"group":"shop.example","scope":"Namespaced","names":{"kind":"Widget"},"versions":[{"name":"v1","served":true}]}}`)}
	site := siteOf(lifecycle.Addon{Name: "asks", Namespace: "asks", Chart: &lifecycle.Chart{Name: "asks", Version: "1", Release: "asks"},
		DependsOn: []string{"defines"}},
		lifecycle.Addon{Name: "defines", Namespace: "defines", Manifests: []string{"x"}})
	site.Tenants = []lifecycle.Tenant{{Name: "product-a"}}
	doc := func(api, kind, namespace string) lifecycle.Document {
		return lifecycle.Document{APIVersion: api, Kind: kind, Namespace: namespace, Name: "x", YAML: []byte("kind: " + kind)}
	}
	cases := map[string]struct {
		object lifecycle.Document
		want   string
	}{
		"objects that need nothing": {doc("v1", "ConfigMap", "default"), "objects addon/defines addon/asks tenant/product-a"},
		"objects of a kind that an addon brings": {doc("shop.example/v1", "Widget", "default"),
			"addon/defines addon/asks tenant/product-a objects"},
		"objects in a tenant's namespace": {doc("v1", "ConfigMap", "product-a"), "addon/defines addon/asks tenant/product-a objects"},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			c := stocked()
			c.charts["manifests defines"] = []lifecycle.Object{widgets}
			c.charts["asks 1"] = []lifecycle.Object{object("v1", "ConfigMap", "", "asks", "")}
			site.Objects = []lifecycle.Document{tt.object}
			var got []string
			for _, s := range look(t, c.engine(site)) {
				got = append(got, s.Name)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("the order is %v, want %s", got, tt.want)
			}
			asks := stateOf(t, c.engine(site), "addon/asks")
			if !slices.ContainsFunc(asks.Changes, func(ch lifecycle.ObjectChange) bool { return ch.Kind == "Widget" }) {
				t.Error("a chart is not told of the kinds that the addon before it brings")
			}
			if defines := stateOf(t, c.engine(site), "addon/defines"); !slices.Equal(defines.Serves, []string{"shop.example/v1/Widget"}) {
				t.Errorf("what its definitions serve: %v", defines.Serves)
			}
		})
	}
}

func TestRerendersForTheDeclaredVersion(t *testing.T) {
	c := stocked()
	c.charts["asks 1"] = []lifecycle.Object{object("v1", "ConfigMap", "", "asks", "")}
	a := lifecycle.Addon{Name: "asks", Namespace: "asks", Chart: &lifecycle.Chart{Name: "asks", Version: "1", Release: "asks"}}
	site := siteOf(a, shop("1"))
	site.Cluster.Version = lifecycle.Version{Major: 1, Minor: 37}
	if !stateOf(t, c.engine(site), "addon/asks").Rerenders || stateOf(t, c.engine(site), "addon/shop").Rerenders {
		t.Error("it is not told which chart makes something else for the next version")
	}
}

func TestWithoutACluster(t *testing.T) {
	states := stocked().engine(siteOf(shop("1"))).Observe(t.Context(), lifecycle.APIState{NotYet: true})
	if len(states) != 1 || !states[0].NotYet || states[0].Digest != "" || len(states[0].Changes) != 3 {
		t.Errorf("%+v", states)
	}
	states = stocked().engine(siteOf(shop("1"))).Observe(t.Context(), lifecycle.APIState{Unknown: "connection refused"})
	if len(states) != 1 || states[0].Unknown != "connection refused" {
		t.Errorf("%+v", states)
	}
}

func TestHealthIsThatOfInventories(t *testing.T) {
	c := stocked()
	mustConverge(t, c.engine(siteOf(shop("1"))))
	c.sick[c.objects["apps/Deployment/shop/shop"]] = true
	health, err := c.engine(lifecycle.Site{}).Health(t.Context())
	if err != nil || len(health) != 1 || len(health[0].Bad) != 1 || health[0].Bad[0].Kind != "Deployment" {
		t.Errorf("%v, %+v", err, health)
	}
}

// A task that is about a machine asks no chart, and still knows which addons to wait for.
func TestGlance(t *testing.T) {
	c := stocked()
	mustConverge(t, c.engine(siteOf(shop("1"))))
	c.sick[c.objects["apps/Deployment/shop/shop"]] = true
	c.charts = nil
	states := Glance{c.engine(siteOf(shop("1")))}.Observe(t.Context(), lifecycle.APIState{ClusterUID: "u"})
	if len(states) != 1 || !states[0].Installed || states[0].Health.IsWell() || states[0].Diagnostics != nil {
		t.Errorf("%+v", states)
	}
	if r := states[0].Release; r.Chart != "shop" || r.Version != "1" || r.Status != "deployed" {
		t.Errorf("the release is %+v", r)
	}
}

// A chart whose templates define a kind and hold an object of it can't be installed where the kind is not known yet: the plan says so, and
// not the release after a minute.
func TestAChartThatNeedsItsOwnDefinitions(t *testing.T) {
	crd := object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "pools.metal.example", "x")
	crd.JSON = []byte(`{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"pools.metal.example"},` +
		`"spec":{"group":"metal.example","scope":"Namespaced","names":{"kind":"Pool"},"versions":[{"name":"v1","served":true}]}}`)
	pool := object("metal.example/v1", "Pool", "", "lan", "x")
	for name, tt := range map[string]struct {
		chart   []lifecycle.Object
		apis    []string
		refused bool
	}{
		"both":                  {chart: []lifecycle.Object{crd, pool}, refused: true},
		"both, and it is known": {chart: []lifecycle.Object{crd, pool}, apis: []string{"metal.example/v1", "metal.example/v1/Pool"}},
		"the definition alone":  {chart: []lifecycle.Object{crd}},
		"the object alone":      {chart: []lifecycle.Object{pool}},
		"neither":               {chart: []lifecycle.Object{object("v1", "ConfigMap", "", "a", "x")}},
	} {
		u := &unit{name: "addon/metal", addon: &lifecycle.Addon{Name: "metal", Chart: &lifecycle.Chart{Name: "metal"}}, main: tt.chart,
			caps: lifecycle.Capabilities{APIs: tt.apis}}
		d, refused := u.needsItself()
		if refused != tt.refused || refused && (!strings.Contains(d.Detail, "Pool") || !strings.Contains(d.Hint, "kiban.dev/addon: metal")) {
			t.Errorf("%s: %v %v", name, refused, d)
		}
	}
}
