package gitlab

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"
)

// keyPair is a signer of tokens, as a loopback issuer has one.
type keyPair struct {
	*rsa.PrivateKey
	id string
}

func newKeyPair(t *testing.T, id string) keyPair {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{key, id}
}

func encoded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token signs claims.
func (k keyPair) token(t *testing.T, claims map[string]any) string {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signing := encoded(fmt.Appendf(nil, `{"alg":"RS256","typ":"JWT","kid":%q}`, k.id)) + "." + encoded(body)
	sum := sha256.Sum256([]byte(signing))
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.PrivateKey, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signing + "." + encoded(signature)
}

func (k keyPair) public() string {
	return fmt.Sprintf(`{"kty":"RSA","use":"sig","alg":"RS256","kid":%q,"n":%q,"e":%q}`, k.id, encoded(k.N.Bytes()),
		encoded(big.NewInt(int64(k.E)).Bytes()))
}

// issues has the server be an issuer of ID tokens that these keys sign.
func (s *fleetServer) issues(keys ...keyPair) {
	var public []string
	for _, k := range keys {
		public = append(public, k.public())
	}
	s.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q,"id_token_signing_alg_values_supported":["RS256"]}`, s.URL, s.URL+"/oauth/discovery/keys")
		case "/oauth/discovery/keys":
			fmt.Fprintf(w, `{"keys":[%s]}`, strings.Join(public, ","))
		default:
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Private-Token") != "" {
			panic("the token was sent to where everybody may ask")
		}
		return true
	}
}

// TestA3_SignedPlan: a plan that GitLab's own token binds to its bytes, its job, its commit and a time before the merge counts as signed.
// One whose token says anything else does not count at all.
func TestA3_SignedPlan(t *testing.T) {
	gitlabs, strangers := newKeyPair(t, "a"), newKeyPair(t, "a")
	merged := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	sum := sha256.Sum256([]byte(planFile))
	audience := signedAudience + hex.EncodeToString(sum[:])
	for name, tt := range map[string]struct {
		key     *keyPair
		claims  map[string]any
		edit    func(s *fleetServer)
		missing string // "" when the plan counts
		signed  bool
	}{
		"as it is":          {signed: true},
		"it expired since":  {claims: map[string]any{"exp": merged.Unix() - 1800}, signed: true},
		"of a merged trial": {claims: map[string]any{"ref": "refs/merge-requests/42/head"}, signed: true},
		"another plan": {claims: map[string]any{"aud": signedAudience + strings.Repeat("0", 64)},
			missing: "its signature does not count: oidc: expected audience"},
		"the plan was put in its place": {edit: func(s *fleetServer) {
			s.answer["/jobs/7/artifacts/plans/lab.json"] = strings.Replace(planFile, "{", `{"target":"v1.36.0+k0s.0",`, 1)
		}, missing: "oidc: expected audience"},
		"several plans":    {claims: map[string]any{"aud": []string{audience, "kiban:plan:sha256:other"}}, missing: "it is for 2 audiences"},
		"a stranger's key": {key: &strangers, missing: "failed to verify signature"},
		"another issuer": {claims: map[string]any{"iss": "https://evil.example"},
			missing: "id token issued by a different provider"},
		"another project":  {claims: map[string]any{"project_id": "77"}, missing: `it is of project "77", not of 1`},
		"another pipeline": {claims: map[string]any{"pipeline_id": "201"}, missing: `it is of pipeline "201", not of 200`},
		"another job":      {claims: map[string]any{"job_id": "7"}, missing: `it is of job "7", not of 17`},
		"another commit":   {claims: map[string]any{"sha": "01d"}, missing: `it is of commit "01d", not of f00d`},
		"no commit":        {claims: map[string]any{"sha": ""}, missing: `it is of commit ""`},
		"another branch":   {claims: map[string]any{"ref": "main"}, missing: `it is of ref "main", not of merge request !42`},
		"signed after it":  {claims: map[string]any{"iat": merged.Unix() + 1}, missing: "it was signed after the merge"},
		"never valid":      {claims: map[string]any{"exp": merged.Unix() - 3600}, missing: "it was never valid"},
		"not a token":      {edit: func(s *fleetServer) { s.answer["/jobs/17/artifacts/signatures/lab.jwt"] = "x" }, missing: "malformed jwt"},
		"a token far too big": {edit: func(s *fleetServer) {
			s.answer["/jobs/17/artifacts/signatures/lab.jwt"] = strings.Repeat("x", largestToken+1)
		}, missing: "the file is too large"},
		"nobody knows the keys": {edit: func(s *fleetServer) { s.before = nil },
			missing: "are not to be had"},
		"nothing was signed": {edit: func(s *fleetServer) { delete(s.answer, "/jobs/17/artifacts/signatures/lab.jwt") }},
		"the job failed": {edit: func(s *fleetServer) {
			s.answer["/pipelines/200/jobs"] = strings.Replace(s.answer["/pipelines/200/jobs"], `"sign:lab","status":"success"`,
				`"sign:lab","status":"failed"`, 1)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFleetServer(t)
			s.issues(gitlabs)
			s.answer["/pipelines/200/jobs"] = strings.TrimSuffix(s.answer["/pipelines/200/jobs"], "]") +
				`,{"id":17,"name":"sign:lab","status":"success","finished_at":"2026-11-20T00:01:00Z","web_url":"https://gitlab.example/jobs/17"}]`
			s.merged(`{"iid":42,"state":"merged","target_branch":"main","source_branch":"lab-k0s","project_id":1,"sha":"f00d",` +
				`"merged_at":"2026-11-21T00:00:00Z","merge_commit_sha":"` + mergeCommit + `"}`)
			claims := map[string]any{"iss": s.URL, "aud": audience, "sub": "project_path:fleet/sites:ref_type:branch:ref:lab-k0s",
				"project_id": "1", "pipeline_id": "200", "job_id": "17", "sha": "f00d", "ref": "lab-k0s",
				"iat": merged.Unix() - 3600, "nbf": merged.Unix() - 3605, "exp": merged.Unix() + 3600}
			maps.Copy(claims, tt.claims)
			key := gitlabs
			if tt.key != nil {
				key = *tt.key
			}
			s.answer["/jobs/17/artifacts/signatures/lab.jwt"] = key.token(t, claims) + "\n"
			if tt.edit != nil {
				tt.edit(s)
			}
			got, err := s.reviewed(t, "lab")
			if err != nil || len(got.Sites) != 1 {
				t.Fatalf("got %+v, %v", got, err)
			}
			site := got.Sites[0]
			if (site.Plan != nil) != (tt.missing == "") || !strings.Contains(site.Missing, tt.missing) {
				t.Errorf("plan %s, missing %q; want %q", site.Plan, site.Missing, tt.missing)
			}
			if want := map[bool]string{true: s.URL}[tt.signed]; site.Evidence.SignedBy != want && tt.missing == "" {
				t.Errorf("signed by %q, want %q", site.Evidence.SignedBy, want)
			}
		})
	}
}
