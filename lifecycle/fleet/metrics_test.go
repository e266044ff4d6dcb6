package fleet

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"kiban.dev/kiban/lifecycle"
)

// TestMetrics has Prometheus' own parser read what is written, as a node exporter's textfile collector does.
func TestMetrics(t *testing.T) {
	osaka := collected("osaka", noon)
	osaka.Standing.Value.Run = "20261128-1200"
	osaka.Declared.Value.Labels = map[string]string{"a-b": "1", "a.b": "2", "note": "a \"quoted\"\nline\\ \xff"}
	failed := Asking{Site: "tokyo", At: noon.Add(-time.Minute)}.Failed(lifecycle.Errorf("tokyo", "no route"))
	failed.carry(collected("tokyo", noon.Add(-2*time.Hour)))
	var b, again bytes.Buffer
	for _, w := range []*bytes.Buffer{&b, &again} {
		if err := WriteMetrics(w, []Collected{osaka, failed}, 3, noon); err != nil {
			t.Fatal(err)
		}
	}
	if text := b.String(); text != again.String() || !strings.HasSuffix(text, "\n# EOF\n") || strings.Count(text, "# EOF") != 1 {
		t.Errorf("not the same twice, or without an end:\n%s", text)
	}
	osaka.Standing.Value.Run, osaka.Locks.Unknown = "", "a controller is away"
	if err := WriteMetrics(&again, []Collected{osaka}, 0, noon); err != nil || strings.Contains(again.String()[b.Len():], "lock_held") {
		t.Errorf("%v: a lock that could not be asked for counts as none", err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(&b)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for name, f := range families {
		if f.GetHelp() == "" || f.GetType().String() != "GAUGE" {
			t.Errorf("%s: %s, %q", name, f.GetType(), f.GetHelp())
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			key := name + " " + strings.Join(labels, " ")
			if _, twice := got[key]; twice {
				t.Errorf("%s is there twice", key)
			}
			got[key] = m.GetGauge().GetValue()
		}
	}
	const info = "kiban_site_info site="
	for key, want := range map[string]float64{
		"kiban_fleet_sites ":            2,
		"kiban_fleet_unreadable_files ": 3,
		info + "osaka wave=2 provider= declared=v1.36.3+k0s.0 label_a_b=1 label_note=a \"quoted\"\nline\\ ? running=v1.36.3+k0s.0": 1,
		info + "tokyo wave=2 provider= declared=v1.36.3+k0s.0 label_region=kanto label_tier=production":                            1,
		"kiban_site_answered site=osaka":                                                       1,
		"kiban_site_answered site=tokyo":                                                       0,
		"kiban_site_asked_timestamp_seconds site=tokyo":                                        float64(noon.Add(-time.Minute).Unix()),
		"kiban_site_known_age_seconds site=osaka":                                              0,
		"kiban_site_known_age_seconds site=tokyo":                                              7200,
		"kiban_site_known site=osaka part=runs":                                                1,
		"kiban_site_known site=tokyo part=runs":                                                0,
		"kiban_site_machines site=osaka":                                                       3,
		"kiban_site_nodes_ready site=osaka":                                                    3,
		"kiban_site_problems site=osaka severity=warning":                                      1,
		"kiban_site_problems site=osaka severity=error":                                        0,
		"kiban_site_lock_held site=osaka":                                                      1,
		"kiban_site_drift_steps site=osaka":                                                    1,
		"kiban_site_support_days_left site=osaka":                                              89.5,
		"kiban_site_ready_findings site=osaka to=v1.37.0+k0s.0 rank=blocks":                    1,
		"kiban_site_last_run_ended_timestamp_seconds site=osaka":                               float64(noon.Unix()),
		"kiban_site_last_run_result site=osaka result=done":                                    1,
		"kiban_site_last_run_result site=osaka result=failed":                                  0,
		"kiban_site_backup_age_seconds site=osaka":                                             24 * 3600,
		"kiban_site_backup_proven_age_seconds site=osaka":                                      8 * 24 * 3600,
		"kiban_site_certificate_days_left site=osaka renewed=start":                            61,
		"kiban_tenant_quota_share site=osaka tenant=shop namespace=shop resource=requests.cpu": 0.8,
	} {
		if v, there := got[key]; !there || v != want {
			t.Errorf("%s: %v (%t), want %v", key, v, there, want)
		}
	}
	for key := range got { // what is not known now has no line
		if strings.Contains(key, "site=tokyo") && !strings.Contains(key, "_known") && !strings.Contains(key, "_info") &&
			!strings.Contains(key, "_answered") && !strings.Contains(key, "_asked_") {
			t.Errorf("%s is told of a site that was not seen", key)
		}
	}
}
