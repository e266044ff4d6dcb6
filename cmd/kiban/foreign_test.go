package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/readiness"
	"kiban.dev/kiban/lifecycle/render/rendertest"
	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/supply"
)

// hostile is what a machine, a cluster, a file or a server may say: a screen wiped, a title set, a bell, C1's CSI, an override of the
// reading direction, a character without width, a carriage return, a section of GitLab's log, and bytes that are no text.
const hostile = "owned\x1b[2J\x1b[31m\x1b]0;x\a\u009b1A\u202e\u200b\r\x1b[0Ksection_start:1:x\r\x1b[0K\x7f\u2028\xff"

// filler puts foreign text into every field that can hold text, also into one that is added tomorrow.
type filler struct {
	// named fills types of words as well, which have a meaning: kinds, actions, severities.
	named  bool
	filled map[string]bool // by type and field
}

func (f filler) fill(v reflect.Value, name string, depth int) {
	if depth > 12 || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() || f.named || v.String() == "" {
			v.SetString(hostile)
			f.filled[name] = true
		}
	case reflect.Pointer:
		if v.IsNil() && depth < 6 {
			v.Set(reflect.New(v.Type().Elem()))
		}
		f.fill(v.Elem(), name, depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i), v.Type().String()+"."+v.Type().Field(i).Name, depth+1)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if v.Type() == reflect.TypeFor[json.RawMessage]() {
				b, _ := json.Marshal(hostile)
				v.SetBytes(b)
			}
			return
		}
		if v.Len() == 0 && depth < 8 {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		}
		for i := range v.Len() {
			f.fill(v.Index(i), name, depth+1)
		}
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String || depth > 8 {
			return
		}
		value := reflect.New(v.Type().Elem()).Elem()
		f.fill(value, name, depth+1)
		m := reflect.MakeMap(v.Type())
		m.SetMapIndex(reflect.ValueOf(hostile).Convert(v.Type().Key()), value)
		v.Set(m)
	case reflect.Interface:
		if v.Type() == reflect.TypeFor[error]() {
			v.Set(reflect.ValueOf(errors.New(hostile)))
		}
	}
}

func fillAll[T any](f filler, v T) T {
	f.fill(reflect.ValueOf(&v).Elem(), reflect.TypeFor[T]().String(), 0)
	return v
}

// ownMarks are what kiban itself may send: colours on a terminal, the live view's cursor, GitLab's sections with names of its own.
var ownMarks = regexp.MustCompile(
	"\x1b\\[(0|1|2|31|32|33|36)m|\x1b\\[[0-9]+A\r\x1b\\[J|" +
		"\x1b\\[0Ksection_(start|end):[0-9]+:[A-Za-z0-9_.-]*(\\[collapsed=true\\])?\r\x1b\\[0K",
)

// wantHarmless looks for a foreign character that reached people. The foreign text never says where kiban's own marks are: it is cut off at
// its first one.
func wantHarmless(t *testing.T, what, text string) {
	t.Helper()
	own := ownMarks.ReplaceAllString(text, "")
	if i := strings.IndexFunc(own, lifecycle.Misleads); i >= 0 {
		t.Errorf("%s: %q", what, own[max(0, i-80):min(len(own), i+40)])
	}
	for _, forged := range []string{"owned\x1b", "owned[2J\x1b", "\x1b[2J", "\x1b]", "section_start:1:x\r", "\xff"} {
		if strings.Contains(text, forged) {
			t.Errorf("%s: %q came through", what, forged)
		}
	}
}

// hostileWorld is a site of which every word is foreign. Where words have a meaning it keeps it, unless named says so.
type hostileWorld struct {
	fakeSite
	site     lifecycle.Site
	findings lifecycle.Diagnostics
	events   []lifecycle.Event
	keys     lifecycle.HostKeys
}

func newHostileWorld(t *testing.T, f filler) *hostileWorld {
	t.Helper()
	w := &hostileWorld{}
	site, plans := rendertest.UnitPlans(t)
	plans["upgrade"] = rendertest.UpgradePlan(t, site, 2)
	version := site.Cluster.Version
	for _, p := range plans {
		p = fillAll(f, p)
		p.Format, p.Site = lifecycle.PlanFormat, "lab"
		for i := range p.Diagnostics { // a plan that is stopped is not carried out
			p.Diagnostics[i].Severity = lifecycle.SeverityWarning
		}
		w.plans = append(w.plans, p)
	}
	w.site = fillAll(f, site)
	w.site.Name, w.site.Provider = "lab", ""
	w.state = fillAll(f, twoMachines(version))
	for i := range w.state.Hosts[:2] {
		w.state.Hosts[i].Name = []string{"controller-1", "worker-1"}[i]
	}
	w.locks, w.runs = fillAll(f, []lifecycle.Lock{{Epoch: 1}}),
		fillAll(f, []lifecycle.RunRecord{{Began: rendertest.At(0), Ended: rendertest.At(9)}})
	w.uses, w.promises = fillAll(f, []lifecycle.TenantUse{}),
		fillAll(f, []lifecycle.Promise{{State: lifecycle.GateFailed}, {State: lifecycle.GateMet}})
	w.soak, w.keys = fillAll(f, lifecycle.Soak{}), fillAll(f,
		lifecycle.HostKeys{Keys: []lifecycle.HostKey{{Standing: lifecycle.KeyNew}, {Standing: lifecycle.KeyChanged}}})
	w.told = map[string]lifecycle.Told{}
	for _, s := range []lifecycle.Severity{lifecycle.SeverityWarning} {
		w.findings = append(w.findings, fillAll(f, lifecycle.Diagnostic{Severity: s}))
	}
	for _, e := range append(rendertest.Story(), rendertest.UnitStory()...) {
		e = fillAll(f, e)
		e.Format = lifecycle.EventFormat
		w.events = append(w.events, e)
	}
	w.run = func(_ context.Context, _ lifecycle.Plan, run session.Run) error {
		for _, e := range w.events {
			if err := run.Sink(e); err != nil {
				return err
			}
		}
		time.Sleep(250 * time.Millisecond) // so that the live view draws
		return fillAll(f, lifecycle.Diagnostic{Severity: lifecycle.SeverityError})
	}
	return w
}

func (w *hostileWorld) services() services {
	w.planners.Node = func(lifecycle.Site, lifecycle.State, lifecycle.NodeTask) lifecycle.Plan { return w.plans[0] }
	w.planners.Ready = func(readiness.Input) lifecycle.Readiness {
		r := fillAll(filler{filled: map[string]bool{}}, lifecycle.Readiness{Findings: make([]lifecycle.ReadinessFinding, 1)})
		r.Findings[0].Rank = lifecycle.RankAttention // what is in the way stops a plan
		return r
	}
	s := w.fakeSite.services()
	s.LoadSite = func(context.Context, string, string, session.LoadOptions) (lifecycle.Site, lifecycle.Diagnostics) {
		return w.site, w.findings
	}
	s.CheckFleet = func([]lifecycle.Site) lifecycle.Diagnostics { return w.findings }
	s.Compared = func(s lifecycle.Site) lifecycle.Site { return s }
	s.HostKeys = func(context.Context, lifecycle.Site) (lifecycle.HostKeys, error) { return w.keys, nil }
	s.TrustHosts = func(string, []lifecycle.HostKey) error { return errors.New(hostile) }
	s.RenderSite = func(context.Context, string, string) ([]byte, lifecycle.Diagnostics) {
		return []byte(hostile), w.findings
	}
	s.OpenStore = func(storeOptions) supply.Charts { return hostileCharts{} }
	return s
}

// hostileCharts are of a server that gives none.
type hostileCharts struct{ supply.Charts }

func (hostileCharts) Render(context.Context, lifecycle.Site, lifecycle.Addon, lifecycle.Capabilities) (lifecycle.Rendering, error) {
	return lifecycle.Rendering{}, errors.New(hostile)
}

// TestA12_ForeignTextSteersNothing: whatever the words of package lifecycle hold, no verb lets it steer what shows it, in any form, for a
// pipe, a terminal with the live view, or GitLab.
func TestA12_ForeignTextSteersNothing(t *testing.T) {
	terminal := func(s *Streams) { s.OutTTY, s.ErrTTY = true, true }
	gitlab := func(s *Streams) {
		s.Getenv = func(k string) string { return map[string]string{"GITLAB_CI": "true"}[k] }
	}
	shown, filled := 0, map[string]bool{}
	for _, named := range []bool{false, true} {
		for where, streams := range map[string]func(*Streams){"a pipe": nil, "a terminal": terminal, "GitLab": gitlab} {
			world := newHostileWorld(t, filler{named, filled})
			fleet := t.TempDir()
			kiban := func(args string) {
				r := kibanIn(t, fleet, world.services(), streams, strings.Fields(args)...)
				what := fmt.Sprintf("kiban %s, on %s", args, where)
				wantHarmless(t, what, r.out)
				wantHarmless(t, what, r.err)
				if strings.HasSuffix(args, "json") && r.code == exitDone && !json.Valid([]byte(r.out)) {
					t.Errorf("%s: no JSON:\n%.300s", what, r.out)
				}
				shown += strings.Count(r.out+r.err, "owned")
			}
			for range len(world.plans) {
				for _, form := range []string{"text", "markdown", "json"} {
					world.made-- // the same plan in each form
					world.made = max(world.made, 0)
					kiban("plan lab -o " + form)
				}
				world.made++
			}
			for _, args := range []string{
				"apply lab --yes", "status lab", "status lab -o json", "status lab -o yaml", "node list lab", "node list lab -o json",
				"node show lab worker-1",
				"node show lab worker-1 -o json", "node cordon lab worker-1 --yes", "runs lab", "runs lab -o json", "tenants lab",
				"tenants lab -o json", "verify lab",
				"verify lab -o json", "addons lab", "hosts trust lab --yes", "hosts trust lab --yes -o json", "unlock lab --yes", "ci soak lab",
				"ci soak lab -o json",
				"validate lab", "validate lab -o json", "validate lab -o junit", "validate lab -o codequality", "nosuch" + hostile,
				"plan lab --no" + hostile, "ready lab", "ready lab -o markdown", "ready lab -o json",
			} {
				kiban(args)
			}
			if where == "a terminal" {
				kiban("render lab") // elsewhere it is data
			}
			journals, err := filepath.Glob(filepath.Join(fleet, ".kiban", "runs", "lab", "*.jsonl"))
			if err != nil || len(journals) == 0 {
				t.Fatal("no journal was written", err)
			}
			for _, form := range []string{"text", "markdown", "html", "json"} {
				for _, j := range journals {
					if !strings.Contains(j, "commands") {
						kiban("show " + j + " -o " + form)
					}
				}
			}
		}
	}
	if shown < 1000 {
		t.Errorf("the foreign text itself is there %d times only: the probe asks for too little", shown)
	}
	for _, field := range []string{"lifecycle.Event.Message", "lifecycle.Event.Detail", "lifecycle.Step.Reason", "lifecycle.FieldChange.From",
		"lifecycle.Diagnostic.Hint",
		"lifecycle.Lock.Holder", "lifecycle.Mark.Run", "lifecycle.HostState.Why", "lifecycle.RunRecord.Who", "lifecycle.Promise.Reason",
		"lifecycle.TenantUse.Namespace"} {
		if !filled[field] {
			t.Errorf("the probe did not fill %s", field)
		}
	}
}

// TestA12_RehearsalsAndDrillsSteerNothing: what a twin, a snapshot from elsewhere or a backup says is text, in every form.
func TestA12_RehearsalsAndDrillsSteerNothing(t *testing.T) {
	filled := map[string]bool{}
	for _, terminal := range []bool{false, true} {
		for _, form := range []string{"text", "markdown", "html", "json"} {
			var out, errs strings.Builder
			s := Streams{Out: &out, Err: &errs, OutTTY: terminal, ErrTTY: terminal, Getenv: func(string) string { return "" },
				Size: func() (int, int) { return 80, 24 }}.cleaned()
			a, as := &app{Streams: s}, output{form: form}
			r := fillAll(filler{false, filled}, lifecycle.Rehearsal{Services: []lifecycle.RehearsedService{{Requests: 9, Lost: 1}}})
			d := fillAll(filler{false, filled}, lifecycle.Drill{Proof: &lifecycle.Proof{}})
			if err := rehearsed(a, r, as); err == nil {
				t.Error("a request is lost, and that is no error")
			}
			if err := drilled(a, d, as); form != "html" && err != nil {
				t.Error(err)
			}
			s.flush()
			wantHarmless(t, form, out.String()+errs.String())
			if n := strings.Count(out.String(), "owned"); n < 40 {
				t.Errorf("%s: the foreign text is there %d times only", form, n)
			}
		}
	}
	for _, field := range []string{"lifecycle.RehearsedBlock.Owner", "lifecycle.RehearsedService.Why", "lifecycle.RefusedObject.Reason",
		"lifecycle.Rehearsal.Unwell", "lifecycle.DrilledKind.Lost", "lifecycle.Drill.Left"} {
		if !filled[field] {
			t.Errorf("the probe did not fill %s", field)
		}
	}
}

// TestProbeFindsWhatSteers: it is worth something only if it fails where a writer lets things through.
func TestProbeFindsWhatSteers(t *testing.T) {
	for _, r := range []string{"\x1b[2J", "\a", "\u009b", "\u202e", "\u200b", "\r", "\x1b[35m"} {
		if own := ownMarks.ReplaceAllString(r, ""); !strings.ContainsFunc(own, lifecycle.Misleads) {
			t.Errorf("%q is not found", r)
		}
	}
}

// TestDataIsLeftAlone: what a program reads from a pipe is what the overlay says.
func TestDataIsLeftAlone(t *testing.T) {
	world := newHostileWorld(t, filler{false, map[string]bool{}})
	if r := kibanIn(t, t.TempDir(), world.services(), nil, "render", "lab"); r.out != hostile {
		t.Errorf("got %q", r.out)
	}
}
