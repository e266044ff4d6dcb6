package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Data is what etcd's snapshot in a backup holds, as far as it shows without being started.
type Data struct {
	// Contents are the objects by kind, as many as the last revision of each key leaves.
	Contents lifecycle.Contents
	// Site is the site whose mark the cluster carries; "" where it has none.
	Site string
	// Sealed are the keys of encryption at rest that objects are sealed with, "secretbox/a", sorted.
	Sealed []string

	namespace, roots []byte // the kube-system namespace, and the ConfigMap in it that holds the CA's certificate
}

// readSnapshot reads etcd's snapshot of that length: the checksum that etcd puts behind it, its pages, and every key.
func readSnapshot(file io.ReaderAt, length int64) (Data, error) {
	const sumLength = sha256.Size
	if length%512 != sumLength {
		return Data{}, errors.New("it breaks off: there is no checksum at its end")
	}
	length -= sumLength
	sum, want := sha256.New(), make([]byte, sumLength)
	if _, err := io.Copy(sum, io.NewSectionReader(file, 0, length)); err != nil {
		return Data{}, err
	}
	if _, err := file.ReadAt(want, length); err != nil && !errors.Is(err, io.EOF) {
		return Data{}, err
	}
	if !bytes.Equal(sum.Sum(nil), want) {
		return Data{}, errors.New("it is damaged: it is not what its own checksum says")
	}
	p, err := openPages(file, length)
	if err != nil {
		return Data{}, err
	}
	if found, err := p.bucket("meta", func(item) error { return nil }); err != nil || !found {
		return Data{}, errors.Join(errors.New("etcd's own records (meta) are not in it"), err)
	}
	live := map[string]string{} // the key, and what its value begins with
	var d Data
	found, err := p.bucket("key", func(i item) error { return d.revision(live, i) })
	switch {
	case err != nil:
		return Data{}, err
	case !found || len(live) == 0:
		return Data{}, errors.New("there is no key in it")
	}
	d.count(live)
	return d, nil
}

// revision takes one change of one key, in the order of revisions.
func (d *Data) revision(live map[string]string, i item) error {
	if len(i.key) != 17 && len(i.key) != 18 {
		return errors.New("a revision has a name that etcd gives none")
	}
	key, value, err := keyValue(i.value)
	if err != nil {
		return err
	}
	name := string(key)
	if len(i.key) == 18 { // it was deleted then
		delete(live, name)
		value = nil
	} else {
		live[name] = sealedWith(value)
	}
	switch name {
	case registry + "namespaces/kube-system":
		d.namespace = bytes.Clone(value)
	case registry + "configmaps/kube-system/kube-root-ca.crt":
		d.roots = bytes.Clone(value)
	case registry + "configmaps/kube-system/kiban-site":
		d.Site = markIn(value)
	}
	return nil
}

// registry is what Kubernetes' keys begin with.
const registry = "/registry/"

// keyValue reads etcd's record of a key (mvccpb.KeyValue): the key is its field 1, the value its field 5.
func keyValue(b []byte) (key, value []byte, err error) {
	bad := errors.New("the record of a key is damaged")
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, nil, bad
		}
		v, m := binary.Uvarint(b[n:])
		if m <= 0 {
			return nil, nil, bad
		}
		b = b[n+m:]
		if tag&7 == 0 {
			continue
		}
		if tag&7 != 2 || v > uint64(len(b)) {
			return nil, nil, bad
		}
		switch tag >> 3 {
		case 1:
			key = b[:v]
		case 5:
			value = b[:v]
		}
		b = b[v:]
	}
	if len(key) == 0 {
		return nil, nil, bad
	}
	return key, value, nil
}

// sealedWith is the provider and the key of encryption at rest that a value is sealed with, as the API server writes before it:
// "k8s:enc:secretbox:v1:a:".
func sealedWith(value []byte) string {
	const prefix = "k8s:enc:"
	if !bytes.HasPrefix(value, []byte(prefix)) {
		return ""
	}
	parts := strings.SplitN(string(value[len(prefix):min(len(value), 256)]), ":", 4)
	if len(parts) < 4 {
		return "unknown"
	}
	return parts[0] + "/" + parts[2]
}

// markIn finds the site in the ConfigMap that says it: its data are pairs of key and value, each with its length before it.
func markIn(value []byte) string {
	_, rest, ok := bytes.Cut(value, []byte("\n\x04site\x12"))
	if !ok || len(rest) == 0 || int(rest[0]) >= len(rest) {
		return ""
	}
	return string(rest[1 : 1+int(rest[0])])
}

func (d *Data) count(live map[string]string) {
	d.Contents.Objects = map[string]lifecycle.Amount{}
	for key, sealed := range live {
		if sealed != "" && !slices.Contains(d.Sealed, sealed) {
			d.Sealed = append(d.Sealed, sealed)
		}
		if kind := kindOf(key); kind != "" {
			a := d.Contents.Objects[kind]
			d.Contents.Objects[kind] = lifecycle.Amount{Least: a.Least + 1, Most: a.Most + 1}
		}
	}
	slices.Sort(d.Sealed)
	_, d.Contents.Cluster = uidIn(d.namespace)
}

// kindOf is the kind of the object that a key is of, by the name that the API has for it; "" for what is no object.
func kindOf(key string) string {
	rest, ok := strings.CutPrefix(key, registry)
	parts := strings.Split(rest, "/")
	if !ok || len(parts) < 2 {
		return ""
	}
	if strings.Contains(parts[0], ".") { // a custom resource, or a definition of one
		return parts[1] + "." + parts[0]
	}
	switch two := parts[0] + "/" + parts[1]; {
	case two == "services/specs":
		return "services"
	case two == "services/endpoints":
		return "endpoints"
	}
	switch parts[0] {
	case "minions":
		return "nodes"
	case "controllers":
		return "replicationcontrollers"
	case "ingress":
		return "ingresses"
	case "podsecuritypolicy":
		return "podsecuritypolicies"
	case "ranges", "masterleases", "peerserverleases": // the API servers' own
		return ""
	}
	return parts[0]
}

// uidIn finds the UID in a namespace: the first text that looks like one.
func uidIn(value []byte) (found bool, uid string) {
	const length = 36
	for at := 0; at+length <= len(value); at++ {
		if v := value[at : at+length]; at > 0 && value[at-1] == length && isUID(v) {
			return true, string(v)
		}
	}
	return false, ""
}

func isUID(v []byte) bool {
	for i, c := range v {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

// ofAnother says that the data were written under another CA than the backup's keys are of; nil where they were not, or do not tell.
func (d Data) ofAnother(ca []byte) error {
	const stored, begins = "k8s\x00", "-----BEGIN CERTIFICATE-----"
	if !bytes.HasPrefix(d.roots, []byte(stored)) || !bytes.Contains(d.roots, []byte(begins)) || bytes.Contains(d.roots, bytes.TrimSpace(ca)) {
		return nil
	}
	return errors.New("its data and its keys are not of one cluster: kube-root-ca.crt holds another certificate than pki/ca.crt")
}
