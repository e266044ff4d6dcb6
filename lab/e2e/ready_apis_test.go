package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// readiness is one finding of `kiban ready -o json`.
type readiness struct {
	Rule, Rank, Subject, Owner, Summary, Remedy string
	Seen                                        []string
}

// ready is what kiban finds that a version would break.
func (b *bench) ready(to string) (found []readiness, unseen []string) {
	b.t.Helper()
	r := b.kiban("ready", "lab", "--to", to, "-o", "json")
	var sites []struct {
		Findings []readiness
		Unseen   []struct{ What, Why string }
	}
	if err := json.Unmarshal([]byte(r.stdout), &sites); err != nil || len(sites) != 1 {
		b.t.Fatalf("%v\n%s", err, r)
	}
	for _, u := range sites[0].Unseen {
		unseen = append(unseen, u.What+": "+u.Why)
	}
	return sites[0].Findings, unseen
}

// TestReadyFindsAPIsThatEnd plants an API that 1.37 no longer serves, once for each witness: it is asked for, stored by Helm, written by a
// client, and declared. Each is found, with who and where. What an API server counted outlives its restart.
func TestReadyFindsAPIsThatEnd(t *testing.T) {
	t.Parallel()
	b := start(t, "127.236.7", 1, 1)
	b.Version = v136
	const audited = "            audit-policy-file: /etc/k0s/audit-policy.yaml\n            audit-log-path: /var/log/audit.log\n"
	b.Config = "        api:\n          extraArgs:\n            runtime-config: storage.k8s.io/v1beta1=true\n" + audited
	b.Spec = auditLevel("RequestResponse", "hello")
	b.write()
	b.apply(0)
	if found, unseen := b.ready("1.37"); len(apiFindings(found)) > 0 {
		t.Errorf("before anything is planted: %+v, %q", apiFindings(found), unseen)
	}

	cs, cfg := b.admin()
	cfg.UserAgent, cfg.WarningHandler = "old-tool/1.0", rest.NoWarnings{}
	client, err := dynamic.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	class := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "storage.k8s.io/v1beta1", "kind": "VolumeAttributesClass",
		"metadata": map[string]any{"name": "fast", "labels": map[string]any{"team": "payments"}}, "driverName": "example.org",
		"parameters": map[string]any{"iops": "1000"}}}
	classes := client.Resource(schema.GroupVersionResource{Group: "storage.k8s.io", Version: "v1beta1", Resource: "volumeattributesclasses"})
	if _, err := classes.Create(t.Context(), class, metav1.CreateOptions{FieldManager: "old-tool"}); err != nil {
		t.Fatal(err)
	}
	release := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "sh.helm.release.v1.web.v1",
		Labels: map[string]string{"owner": "helm", "name": "web", "status": "deployed", "version": "1"}}, Type: "helm.sh/release.v1",
		Data: map[string][]byte{"release": helmRecord(t, `{"name":"web","namespace":"default","version":1,"chart":{"metadata":{"name":"web",`+
			`"version":"1.0.0"}},"manifest":"---\napiVersion: storage.k8s.io/v1beta1\nkind: VolumeAttributesClass\nmetadata:\n  name: slow\n"}`)}}
	if _, err := cs.CoreV1().Secrets("default").Create(t.Context(), release, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	b.Documents = map[string]string{"class.yaml": "# what databases have\napiVersion: storage.k8s.io/v1beta1\nkind: VolumeAttributesClass\n" +
		"metadata: {name: declared}\ndriverName: example.org\nparameters: {iops: '10'}\n"}
	b.write()

	m := b.mark()
	found, unseen := b.ready("1.37")
	b.untouched(m, "ready")
	if len(unseen) > 0 {
		t.Errorf("not looked at: %q", unseen)
	}
	b.finds(found, "storage.k8s.io/v1beta1 volumeattributesclasses", "", "and it is asked for", "old-tool/1.0", "API server of controller-1")
	b.finds(found, "VolumeAttributesClass fast", "team payments", "old-tool writes by it", "last at")
	b.finds(found, "Helm release default/web", "", "Helm can't upgrade it once v1.37 runs",
		"revision 1, chart web-1.0.0: VolumeAttributesClass slow")
	b.finds(found, "VolumeAttributesClass declared", "", "it is declared as storage.k8s.io/v1beta1", "overlays/lab/class.yaml:2")
	if earlier, _ := b.ready("1.36"); len(apiFindings(earlier)) == 0 || apiFindings(earlier)[0].Rank == "blocks" {
		t.Errorf("for a version that serves it: %+v", apiFindings(earlier))
	}

	// A restart makes the API server forget; the cluster keeps it. The log goes with it, so that nobody else tells.
	b.Documents = nil
	b.Config = strings.Replace(b.Config, audited, "", 1)
	b.write()
	b.apply(0)
	kept, err := cs.CoreV1().ConfigMaps("kube-system").Get(t.Context(), "kiban-api-requests", metav1.GetOptions{})
	if err != nil || !strings.Contains(kept.Data["requests"], "volumeattributesclasses") {
		t.Errorf("kept: %v, %v", kept, err)
	}
	found, _ = b.ready("1.37")
	b.finds(found, "storage.k8s.io/v1beta1 volumeattributesclasses", "", "and it is asked for", "API server of controller-1")
}

func apiFindings(all []readiness) (out []readiness) {
	for _, f := range all {
		if f.Rule == "removed-api" || f.Rule == "deprecated-api" {
			out = append(out, f)
		}
	}
	return out
}

// finds asserts that a finding on the subject is in the way, is that owner's, and says all that.
func (b *bench) finds(found []readiness, subject, owner string, says ...string) {
	b.t.Helper()
	for _, f := range found {
		if f.Subject != subject {
			continue
		}
		text := f.Summary + "\n" + strings.Join(f.Seen, "\n")
		for _, want := range says {
			if !strings.Contains(text, want) {
				b.t.Errorf("%s does not say %q:\n%s", subject, want, text)
			}
		}
		if f.Rank != "blocks" || f.Owner != owner || f.Remedy == "" {
			b.t.Errorf("%+v", f)
		}
		return
	}
	b.t.Errorf("nothing is found of %s: %+v", subject, found)
}

// helmRecord packs a release as Helm does.
func helmRecord(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return []byte(base64.StdEncoding.EncodeToString(b.Bytes()))
}
