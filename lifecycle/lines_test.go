package lifecycle

import (
	"reflect"
	"testing"
)

func TestWhereAFieldIs(t *testing.T) {
	a := Addon{Name: "metallb", Source: "overlays/lab/addon.yaml:1",
		Lines: Lines{"spec": "addon.yaml:5", "spec.chart": "addon.yaml:6", "spec.chart.version": "addon.yaml:9",
			"spec.chart.values": "values.yaml:3", `spec.chart.values.annotations["a.example/b"]`: "values.yaml:7",
			"spec.secrets[name=api.keys]": "addon.yaml:20"}}
	for field, want := range map[string]string{
		"spec.chart.version":                             "addon.yaml:9",
		"spec.chart.values.speaker.replicas":             "values.yaml:3",
		`spec.chart.values.annotations["a.example/b"]`:   "values.yaml:7",
		`spec.chart.values.annotations["a.example/b"].c`: "values.yaml:7",
		`spec.chart.values.annotations["a.other/b"]`:     "values.yaml:3",
		"spec.secrets[name=api.keys].keys.token":         "addon.yaml:20",
		"spec.secrets[name=other]":                       "addon.yaml:5",
		"metadata.name":                                  "overlays/lab/addon.yaml:1",
		"":                                               "overlays/lab/addon.yaml:1",
	} {
		if got := a.Where(field); got != want {
			t.Errorf("%s: %s, want %s", field, got, want)
		}
	}
	for _, tt := range []struct{ found, want Diagnostic }{
		{Diagnostic{Subject: "https://charts.example", Detail: "it has 0.16.1", Field: "spec.chart.version"},
			Diagnostic{Subject: "addon.yaml:9", Detail: "it has 0.16.1\nFrom https://charts.example.", Field: "spec.chart.version"}},
		{Diagnostic{Subject: "https://charts.example", Detail: "https://charts.example does not answer"},
			Diagnostic{Subject: "overlays/lab/addon.yaml:1", Detail: "https://charts.example does not answer"}},
		{Diagnostic{Subject: a.Source, Field: "spec.chart.values.x"}, Diagnostic{Subject: "values.yaml:3", Field: "spec.chart.values.x"}},
		{Diagnostic{}, Diagnostic{Subject: a.Source}},
	} {
		if got := a.Locate(tt.found); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%+v\nbecame %+v\nwant   %+v", tt.found, got, tt.want)
		}
	}
	if got := (Addon{Name: "x"}).Locate(Diagnostic{}); got.Subject != "addon/x" {
		t.Errorf("an addon from nowhere: %+v", got)
	}
}
