package main

import (
	"fmt"
	"go/ast"
	"strings"
)

// meaning names, for each struct of the documents' forms, the type of package lifecycle whose comments say what its fields mean.
func meaning(spec string) string {
	return map[string]string{
		"siteSpec": "Site", "siteMetadata": "Site", "sshSpec": "SSH", "apiSpec": "Access", "binariesSpec": "Binaries", "backupSpec": "Backups",
		"backupToSpec": "BackupTo", "s3Spec": "BackupS3", "sftpSpec": "BackupSFTP", "ociSpec": "BackupOCI",
		"upgradeSpec": "Policy",
		"workersSpec": "Rollout", "drainSpec": "Drain", "settleSpec": "Settle", "windowSpec": "Window",
		"platformSpec": "Platform", "loadBalancerSpec": "PlatformLoadBalancer", "storageSpec": "PlatformStorage",
		"addonSpec": "Addon", "chartSpec": "Chart", "secretSpec": "Secret", "sourceSpec": "SecretSource", "ignoreSpec": "Ignore",
		"tenantSpec": "Tenant", "groupsSpec": "TenantGroups", "namespaceSpec": "TenantNamespace", "limitsSpec": "TenantLimits",
		"networkSpec": "TenantNetwork", "applicationsSpec": "TenantApplications",
		"fleetSpec": "Fleet",
	}[spec]
}

// documentFields explains every field of kiban's documents, "Site.spec.upgrade.workers.maxUnavailable", depth first.
func (s *source) documentFields(words *source) ([]entry, error) {
	var all []entry
	for _, kind := range documentKinds() {
		fields, err := s.walk(words, strings.ToLower(kind)+"Document", kind)
		if err != nil {
			return nil, err
		}
		all = append(all, fields...)
	}
	return all, nil
}

func documentKinds() []string { return []string{"Site", "Addon", "Tenant", "Fleet"} }

func (s *source) walk(words *source, typ, path string) ([]entry, error) {
	t, ok := s.types[typ]
	if !ok {
		return nil, fmt.Errorf("package site has no type %s", typ)
	}
	st, ok := t.Type.(*ast.StructType)
	if !ok {
		return nil, fmt.Errorf("%s is not a struct", typ)
	}
	var out []entry
	for _, f := range st.Fields.List {
		for _, n := range f.Names {
			key := tag(f, "yaml")
			e := entry{Name: path + "." + key, Kind: "field", Type: formName(f.Type),
				Text: renameFields(st, "yaml", s.fieldText(words, typ, f, n.Name))}
			inner := innerStruct(f.Type)
			if _, nested := structureOf(s.types[inner]); nested {
				if e.Text == "" && meaning(inner) != "Site" {
					e.Text = typeText(words, meaning(inner))
				}
				if strings.HasSuffix(e.Type, inner) {
					e.Type = strings.TrimSuffix(e.Type, inner) + "fields"
				}
				out = append(out, e)
				below, err := s.walk(words, inner, e.Name)
				if err != nil {
					return nil, err
				}
				out = append(out, below...)
				continue
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// fieldText is the field's own comment, else that of the field of the same name in the type that gives it its meaning.
func (s *source) fieldText(words *source, typ string, f *ast.Field, name string) string {
	if c := comment(f.Doc); c != "" {
		return c
	}
	t := words.types[meaning(typ)]
	st, ok := structureOf(t)
	if !ok {
		return ""
	}
	above := ""
	for _, g := range st.Fields.List {
		if c := comment(g.Doc); c != "" {
			above = c
		}
		for _, n := range g.Names {
			if n.Name != name {
				continue
			}
			if c := comment(g.Doc); c != "" {
				return c
			}
			if c := comment(g.Comment); c != "" {
				return c
			}
			if strings.Contains(above, name) {
				return above
			}
		}
	}
	return ""
}

func typeText(words *source, typ string) string {
	if t, ok := words.types[typ]; ok {
		return comment(t.Doc)
	}
	return ""
}

func structureOf(t *ast.TypeSpec) (*ast.StructType, bool) {
	if t == nil {
		return nil, false
	}
	st, ok := t.Type.(*ast.StructType)
	return st, ok
}

func innerStruct(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.ArrayType:
		return innerStruct(t.Elt)
	case *ast.StarExpr:
		return innerStruct(t.X)
	case *ast.MapType:
		return innerStruct(t.Value)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// formName is how a value of a document is written.
func formName(e ast.Expr) string {
	n := typeName(e)
	if n == "values" {
		return "any mapping"
	}
	for from, to := range map[string]string{
		"duration": `duration, such as "90s"`, "share": `count or share, such as "2" or "25%"`, "version": `k0s version, such as "v1.36.3+k0s.2"`,
		"weekday": `weekday, such as Tue`, "fileMode": `mode, such as "0640"`, "clock": `time of day, such as "22:30"`,
	} {
		if n == from || n == "list of "+from {
			return strings.Replace(n, from, to, 1)
		}
	}
	return n
}
