package helm

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"strings"
	"testing"
)

// packed is a record as Helm keeps it.
func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return []byte(base64.StdEncoding.EncodeToString(b.Bytes()))
}

func TestRecordAPIs(t *testing.T) {
	versions := []string{"policy/v1beta1", "batch/v1beta1"}
	manifest := `---\n# Source: shop/pdb.yaml\napiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\n---\n` +
		`apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: text\ndata:\n  note: \"not policy/v1beta1 at all\"\n`
	hook := `apiVersion: batch/v1beta1\nkind: CronJob\nmetadata:\n  name: job\n  namespace: other\n`
	rel, err := RecordAPIs(packed(t, `{"name":"shop","namespace":"prod","version":3,"chart":{"metadata":{"name":"shop","version":"1.2.0"},`+
		`"templates":[{"name":"x","data":"eA=="}]},"manifest":"`+manifest+`","hooks":[{"manifest":"`+hook+`"}]}`), versions)
	if err != nil {
		t.Fatal(err)
	}
	if rel.Name != "shop" || rel.Namespace != "prod" || rel.Revision != 3 || rel.Chart != "shop-1.2.0" || len(rel.Objects) != 2 ||
		rel.Objects[0].String() != "PodDisruptionBudget web" || rel.Objects[1].String() != "CronJob other/job" {
		t.Errorf("%+v", rel)
	}
	for name, payload := range map[string][]byte{
		"no base64": []byte("***"), "nothing": nil, "no JSON": packed(t, "hello"), "cut off": packed(t, manifest)[:40],
		"no YAML": packed(t, `{"manifest":"apiVersion: policy/v1beta1\n\tkind"}`),
		"a bomb":  packed(t, `{"manifest":"`+strings.Repeat(" ", maxRecord)+`"}`),
	} {
		if rel, err := RecordAPIs(payload, versions); err == nil {
			t.Errorf("%s: read as %+v", name, rel)
		}
	}
}
