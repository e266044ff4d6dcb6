package diff

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// fill has every field of a value say something, in another way for each seed.
func fill(v reflect.Value, seed int) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 1, seed, 0, 0, 0, 0, time.UTC)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), seed)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, 1)
		fill(value, seed)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), seed)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), seed)
	case reflect.String:
		v.SetString(fmt.Sprint("text-", seed))
	case reflect.Bool:
		v.SetBool(seed%2 == 1)
	case reflect.Uint8:
		v.SetUint(uint64(seed))
	default:
		unit := int64(time.Minute)
		if v.Type() == reflect.TypeFor[time.Weekday]() {
			unit = 1
		}
		v.SetInt(int64(seed) * unit)
	}
}

// leaves calls yield with each field below a value that holds no fields itself, by its path in Go. Of a list it is the one item's.
func leaves(v reflect.Value, path string, yield func(path string, leaf reflect.Value)) {
	if v.Kind() == reflect.Slice && v.Len() == 1 && v.Type().Elem().Kind() == reflect.Struct {
		v = v.Index(0)
	}
	whole := v.Type() == reflect.TypeFor[lifecycle.Version]() || v.Type() == reflect.TypeFor[time.Time]()
	if v.Kind() == reflect.Struct && !whole {
		for i := range v.NumField() {
			leaves(v.Field(i), strings.TrimPrefix(path+"."+v.Type().Field(i).Name, "."), yield)
		}
		return
	}
	yield(path, v)
}

// sourceOf is the source of a secret that a path leads into, and the path's field of it.
func sourceOf(s *lifecycle.Site, path string) (source *lifecycle.SecretSource, field string, ok bool) {
	at := reflect.ValueOf(s).Elem()
	for name := range strings.SplitSeq(path, ".") {
		if at.Kind() == reflect.Slice {
			at = at.Index(0)
		}
		if at.Kind() == reflect.Struct && at.Type() == reflect.TypeFor[lifecycle.SecretSource]() {
			return at.Addr().Interface().(*lifecycle.SecretSource), name, true
		}
		at = at.FieldByName(name)
	}
	return nil, "", false
}

func mustSource(s lifecycle.Site, path string) *lifecycle.SecretSource {
	source, _, _ := sourceOf(&s, path)
	return source
}

// TestA3_EverySettingIsAGuard: whatever a site's documents say of how, when and on whose word it may be changed is reviewed: as a change in
// the note, and as part of what a plan means. The fields are taken from the types, so a new one can't be forgotten: it is a guard unless
// a table says why it is none.
func TestA3_EverySettingIsAGuard(t *testing.T) {
	none := map[string]string{
		"Policy.Path":      "the hops are versions in the steps",
		"Promotion.Source": "where it is declared",

		"Fleet.Support.Minor":    "dates of support are told, and decide nothing",
		"Fleet.Support.Released": "dates of support are told, and decide nothing",
		"Fleet.Support.Ends":     "dates of support are told, and decide nothing",
	}
	site := func(seed int) lifecycle.Site {
		s := lifecycle.Site{}
		fill(reflect.ValueOf(&s).Elem(), seed)
		s.Cluster = lifecycle.Cluster{}
		s.Dir = "/fleet/overlays/tokyo"
		return s
	}
	want := Guards(site(1))
	to := site(1)
	leaves(reflect.ValueOf(&to).Elem(), "", func(path string, leaf reflect.Value) {
		field, _, _ := strings.Cut(path, ".")
		if field == "Cluster" || notSetting(field) != "" && field != "Fleet" {
			return
		}
		before := reflect.New(leaf.Type()).Elem()
		before.Set(leaf)
		from := site(1)
		if source, of, ok := sourceOf(&from, path); ok { // exactly one of its three fields is set
			other, _, _ := sourceOf(&to, path)
			*source, *other = lifecycle.SecretSource{}, lifecycle.SecretSource{}
			reflect.ValueOf(source).Elem().FieldByName(of).SetString("text-1")
			defer func() { *other = *mustSource(site(1), path) }()
		}
		fill(leaf, 2)
		shown := GuardChanges(Compare(Declaration{Site: from}, Declaration{Site: to}))
		meant := !maps.Equal(Guards(to), Guards(from))
		leaf.Set(before)
		if why := none[path]; (len(shown) > 0) == (why != "") || meant == (why != "") {
			t.Errorf("%s: its change is shown as %v and is part of a plan's meaning: %v; is it no guard because %q?", path, shown, meant, why)
		}
	})
	for _, name := range []string{"labels", "wave", "promotion", "upgrade.windows", "upgrade.drain", "ssh", "binaries", "api", "backup",
		"platform", "provider", lifecycle.FleetFile} {
		if want[name] == "" {
			t.Errorf("%s is no guard among %q", name, slices.Sorted(maps.Keys(want)))
		}
	}
	other := site(1)
	other.Dir = "/elsewhere/overlays/tokyo"
	if !maps.Equal(Guards(other), want) {
		t.Error("where the fleet lies makes a difference")
	}
	other.SSH.KnownHosts = "/elsewhere/overlays/tokyo/known_hosts"
	here := site(1)
	here.SSH.KnownHosts = "/fleet/overlays/tokyo/known_hosts"
	if !maps.Equal(Guards(other), Guards(here)) {
		t.Error("where the fleet lies makes a difference to a path of it")
	}
}

// TestA3_GuardChanges: what is taken from under a site is told as a guard; what a plan's steps show is not, nor is a secret.
func TestA3_GuardChanges(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*lifecycle.Site)
		want []string
	}{
		{"nothing", func(*lifecycle.Site) {}, nil},
		{"tier, promotion, windows, force", func(s *lifecycle.Site) {
			s.Labels, s.Wave, s.Policy.Drain.Force = nil, 0, true
			s.Promotion = lifecycle.Promotion{From: []string{"staging"}, Soak: time.Hour}
			s.Policy.Windows = []lifecycle.Window{{Start: 22 * 60, End: 4 * 60, TimeZone: "Asia/Tokyo"}}
		}, []string{`site | metadata.labels.tier | "prod" -> `, `site | spec.promotion |  -> {"from":["staging"],"soak":"1h"}`,
			`site | spec.upgrade.drain.force |  -> true`, `site | spec.upgrade.windows |  -> ["daily 22:00-04:00 Asia/Tokyo"]`,
			`site | spec.wave | 2 -> 0`}},
		{"a version and its hops", func(s *lifecycle.Site) {
			s.Cluster.Version, s.Policy.Path = at(37, 1, 0), []lifecycle.Version{at(36, 3, 2)}
		}, nil},
		{"hosts come and go, addons change", func(s *lifecycle.Site) {
			s.Cluster.Hosts[1] = lifecycle.Host{Name: "w-2", Role: lifecycle.RoleWorker, Address: "10.0.0.3"}
			s.Addons = s.Addons[1:]
		}, nil},
		{"a host's role, flags and files", func(s *lifecycle.Site) {
			h := &s.Cluster.Hosts[0]
			h.Role, h.Arguments, h.Files = lifecycle.RoleControllerWorker, nil, nil
		}, nil},
		{"where a host is, and which key it has", func(s *lifecycle.Site) {
			h := &s.Cluster.Hosts[1]
			h.Address, h.User, h.HostKeys = "10.6.6.6", "root", "sha256:other"
			s.Cluster.Hosts[0].HostKeys = "sha256:first"
		}, []string{`host cp-1 | ssh.hostKeys |  -> "sha256:first"`, `host w-1 | ssh.address | "10.0.0.2" -> "10.6.6.6"`,
			`host w-1 | ssh.user | "ops" -> "root"`, `host w-1 | ssh.hostKeys |  -> "sha256:other"`}},
		{"a bastion, options, a login key and an install path", func(s *lifecycle.Site) {
			s.Cluster.Document = replace(s.Cluster.Document, "ssh: {address: 10.0.0.2}",
				"ssh: {address: 10.0.0.2, keyPath: /k, bastion: {address: 10.9.9.9}, options: {ForwardAgent: true}}\n    k0sInstallPath: /opt/k0s")
		}, []string{`host w-1 | k0sInstallPath |  -> "/opt/k0s"`,
			`host w-1 | ssh |  -> {"bastion":{"address":"10.9.9.9"},"keyPath":"(masked)","options":{"ForwardAgent":true}}`}},
		{"a mirror with a password", func(s *lifecycle.Site) { s.Binary.URL = "https://me:hunter2@mirror/k0s" },
			[]string{`site | spec.binaries.url | "" -> "https://(masked)@mirror/k0s"`}},
		{"other bytes under the same name", func(s *lifecycle.Site) {
			s.Pins = &lifecycle.Pins{Charts: s.Pins.Charts, Manifests: s.Pins.Manifests, K0s: map[string]string{"v1.35.7+k0s.0/amd64": "sha256:7"}}
		}, []string{`kiban.lock | k0s["v1.35.7+k0s.0/amd64"] | "sha256:3" -> "sha256:7" | other bytes under the same name`}},
		{"what the fleet allows", func(s *lifecycle.Site) { s.Fleet.ExecPlugins = []string{"aws"} },
			[]string{`fleet.yaml | spec.execPlugins |  -> ["aws"]`}},
	} {
		to := declaredSite()
		tt.edit(&to.Site)
		var got []string
		for _, c := range GuardChanges(Compare(declaredSite(), to)) {
			got = append(got, line(c))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
		if meant := !maps.Equal(Guards(declaredSite().Site), Guards(to.Site)); meant != (len(tt.want) > 0) &&
			tt.name != "hosts come and go, addons change" && tt.name != "other bytes under the same name" {
			t.Errorf("%s: part of a plan's meaning: %v", tt.name, meant)
		}
	}
}
