package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"kiban.dev/kiban/lifecycle"
)

// cluster is what a backup is made of: keys that belong together, and objects.
type cluster struct {
	site, uid string
	pki       map[string][]byte
	objects   map[string]string
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// authority makes a CA: its certificate and its key.
func authority(t testing.TB) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotBefore: noon.Add(-time.Hour),
		NotAfter: noon.Add(24 * 365 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("CERTIFICATE", der), pemOf("EC PRIVATE KEY", private)
}

// newCluster is a cluster of a site with a few objects of several kinds, some of them sealed.
func newCluster(t testing.TB, site string, n int) cluster {
	t.Helper()
	c := cluster{site: site, uid: fmt.Sprintf("0b3c7a52-9c1e-4f6e-8f5d-%012d", n), pki: map[string][]byte{}, objects: map[string]string{}}
	c.pki["ca.crt"], c.pki["ca.key"] = authority(t)
	c.pki["etcd/ca.crt"], c.pki["etcd/ca.key"] = authority(t)
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err1 := x509.MarshalPKCS8PrivateKey(k)
	public, err2 := x509.MarshalPKIXPublicKey(k.Public())
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	c.pki["sa.key"], c.pki["sa.pub"] = pemOf("PRIVATE KEY", private), pemOf("PUBLIC KEY", public)
	c.objects["/registry/namespaces/kube-system"] = "k8s\x00\n\x0bkube-system\"\x00*" + string(rune(len(c.uid))) + c.uid
	c.objects["/registry/configmaps/kube-system/kube-root-ca.crt"] = "k8s\x00ca.crt" + string(c.pki["ca.crt"])
	c.objects["/registry/configmaps/kube-system/kiban-site"] = "k8s\x00\n\x04site\x12" + string(rune(len(site))) + site
	c.objects["/registry/services/specs/default/kubernetes"] = "k8s\x00"
	c.objects["/registry/services/endpoints/default/kubernetes"] = "k8s\x00"
	c.objects["/registry/ranges/serviceips"] = "k8s\x00"
	for i := range n {
		c.objects[fmt.Sprintf("/registry/secrets/default/s%d", i)] = "k8s:enc:secretbox:v1:a:" + fmt.Sprint(i)
		c.objects[fmt.Sprintf("/registry/deployments/default/d%d", i)] = "k8s\x00" + string(bytes.Repeat([]byte("d"), 40*i))
		c.objects[fmt.Sprintf("/registry/cert-manager.io/certificates/default/c%d", i)] = "{}"
	}
	return c
}

// record is a key as etcd writes it.
func record(key, value string) []byte {
	field := func(tag byte, s string) []byte {
		return append(binary.AppendUvarint([]byte{tag}, uint64(len(s))), s...)
	}
	b := append(field(1<<3|2, key), 2<<3, 7, 3<<3, 9, 4<<3, 1)
	return append(b, field(5<<3|2, value)...)
}

// snapshot is etcd's, written with bbolt itself, with its checksum behind it.
func (c cluster) snapshot(t testing.TB) []byte {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "db"), 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var b bytes.Buffer
	err = db.Update(func(tx *bolt.Tx) error {
		meta, err1 := tx.CreateBucket([]byte("meta"))
		keys, err2 := tx.CreateBucket([]byte("key"))
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if err := meta.Put([]byte("consistent_index"), make([]byte, 8)); err != nil {
			return err
		}
		rev := func(n int) []byte {
			return append(append(binary.BigEndian.AppendUint64(nil, uint64(n)), '_'), make([]byte, 8)...)
		}
		n := 2
		for _, key := range slices.Sorted(maps.Keys(c.objects)) {
			if err := errors.Join(keys.Put(rev(n), record(key, "k8s\x00former")), keys.Put(rev(n+1), record(key, c.objects[key]))); err != nil {
				return err
			}
			n += 2
		}
		gone := "/registry/deployments/default/gone"
		return errors.Join(keys.Put(rev(n), record(gone, "k8s\x00")), keys.Put(append(rev(n+1), 't'), record(gone, "")))
	})
	if err == nil {
		err = db.View(func(tx *bolt.Tx) error { _, err := tx.WriteTo(&b); return err })
	}
	if err != nil {
		t.Fatal(err)
	}
	return summed(b.Bytes())
}

func summed(db []byte) []byte {
	sum := sha256.Sum256(db)
	return append(bytes.Clone(db), sum[:]...)
}

// parts are the files of its backup.
func (c cluster) parts(t testing.TB) map[string][]byte {
	out := map[string][]byte{"etcd-snapshot.db": c.snapshot(t), "k0s.yaml": []byte("spec: {}\n")}
	for name, content := range c.pki {
		out["pki/"+name] = content
	}
	return out
}

// had is what was counted while it was taken.
func (c cluster) had() lifecycle.Contents {
	out := lifecycle.Contents{Cluster: c.uid, Objects: map[string]lifecycle.Amount{}}
	for key := range c.objects {
		if kind := kindOf(key); kind != "" {
			n := out.Objects[kind].Least + 1
			out.Objects[kind] = lifecycle.Amount{Least: n, Most: n}
		}
	}
	return out
}

func packed(t testing.TB, parts map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	a := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		err := a.WriteHeader(&tar.Header{Name: name, Size: int64(len(parts[name])), Mode: 0o600})
		if _, writeErr := a.Write(parts[name]); err != nil || writeErr != nil {
			t.Fatal(err, writeErr)
		}
	}
	if err := errors.Join(a.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
