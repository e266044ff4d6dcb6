package backup

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Kept is the backup as it lies here, with what its note says; without one, nothing is known of it but its name.
func (f File) Kept() lifecycle.KeptBackup {
	k := f.kept(filepath.Dir(f.Path))
	k.Name = filepath.Base(f.Path)
	if st, err := os.Stat(f.Path); err == nil {
		k.Size = st.Size()
	}
	k.Verified = k.Taken // it got its name when it had been read again
	if n, err := readBeside(f.Path); err == nil {
		size := k.Size
		n.tell(&k)
		k.Size = size
	}
	return k
}

// Known is what is known of a backup beside itself. What is empty is not known.
type Known struct {
	// Site is the one that it is to be of, Cluster the UID of its kube-system namespace.
	Site, Cluster string
	// Digest is that of the archive as k0s wrote it, Contents what the cluster had then.
	Digest   string
	Contents lifecycle.Contents
	// Names are what the cluster's records call this very archive.
	Names []string
	// Opens are the keys of encryption at rest that the site has for its API servers, "secretbox/a". Nil: it is not known which.
	Opens []string
}

// Recall is what is known of a backup of a site: what its note says, and, where it has none, what the cluster kept of it.
func Recall(site lifecycle.Site, f File, digest string, records []lifecycle.BackupRecord) Known {
	kept := f.Kept()
	k := Known{Site: site.Name, Cluster: site.API.ClusterUID, Digest: kept.Digest, Contents: kept.Contents}
	i := slices.IndexFunc(records, func(r lifecycle.BackupRecord) bool { return r.Name == filepath.Base(f.Path) })
	if i < 0 && k.Digest == "" { // a file may be called as its owner likes
		i = slices.IndexFunc(records, func(r lifecycle.BackupRecord) bool { return r.Digest == digest })
	}
	for _, r := range records {
		if r.Digest != "" && r.Digest == digest {
			k.Names = append(k.Names, r.Name)
		}
	}
	if i >= 0 { // the cluster's own word: whoever can alter a file can alter what lies beside it
		k.Digest = records[i].Digest
		if records[i].Contents.Known() {
			k.Contents = records[i].Contents
		}
	}
	return k
}

// CheckFile refuses a backup that is not the file that its note describes, which is known before it is opened.
func CheckFile(f File) error {
	n, err := readBeside(f.Path)
	if removed(err) != nil {
		return unread(f.Path, "what lies beside the backup cannot be read", "Take another: `kiban backup list` shows those there are.", err)
	}
	if err != nil {
		return nil
	}
	size, sum, err := sumOf(f.Path)
	switch {
	case err != nil:
		return unread(f.Path, "the backup cannot be read", "Look whether the file is there and may be read.", err)
	case size != n.Size:
		return altered(f.Path, fmt.Sprintf("It has %d bytes, and had %d.", size, n.Size))
	case sum != n.SHA256:
		return altered(f.Path, fmt.Sprintf("Its checksum is sha256:%s, and was sha256:%s.", sum, n.SHA256))
	}
	return nil
}

func altered(path, why string) error {
	return lifecycle.Errorf(filepath.Base(path), "the backup is not what it was when it was taken").Because(why).
		Try("Take another: `kiban backup list` shows those there are.")
}

// Verified is a backup that was verified as far as can be told before it is started.
type Verified struct {
	*Source
	Data  Data
	Known Known
}

// Verify does with a backup all that can be done without starting it: the file is what its note describes, it opens with the private keys
// in identityFile, it is whole, its parts belong together, and it is the site's, with all in it that the cluster had. records are what
// the
// cluster keeps of its backups; opens are as in Known. What can only be told by starting it: whether every object in it can be decoded.
// The snapshot lies in folder meanwhile, in a file without a name; "" is the folder for temporary files.
func Verify(site lifecycle.Site, path, identityFile string, records []lifecycle.BackupRecord, opens []string, folder string,
	now time.Time,
) (Verified, error) {
	f, _ := Parse(path)
	f.Path = path
	if err := CheckFile(f); err != nil {
		return Verified{}, err
	}
	s, err := Open(path, identityFile)
	if err != nil {
		return Verified{}, err
	}
	v := Verified{Source: s, Known: Recall(site, s.File, s.Digest, records)}
	v.Known.Opens = opens
	if v.Data, err = s.Examine(folder, now); err != nil {
		return v, err
	}
	return v, s.Judge(v.Data, v.Known).Err()
}

// Judge holds what was found in a backup against what is known of it, and gives whatever keeps it from being proven. Errors say that it
// is
// not the site's or not whole, a blocked one that nobody knows what was to be in it.
func (s *Source) Judge(d Data, k Known) lifecycle.Diagnostics {
	name := filepath.Base(s.Path)
	var out lifecycle.Diagnostics
	wrong := func(summary, why, hint string) {
		out = append(out, lifecycle.Errorf(name, "%s", summary).Because(why).Try(hint))
	}
	const another = "Take another: `kiban backup list` shows those there are."
	switch {
	case s.Site != "" && s.Site != k.Site:
		wrong("it is a backup of "+s.Site, "Its name says so.", "Take one of "+k.Site+".")
	case d.Site != "" && d.Site != k.Site:
		wrong("it is a backup of "+d.Site, "The cluster in it carries that site's mark.", "Take one of "+k.Site+".")
	}
	if k.Digest != "" && s.Digest != k.Digest {
		wrong("the backup is not what it was when it was taken",
			fmt.Sprintf("The archive in it is %s, and was %s.", s.Digest, k.Digest), another)
	}
	if own := s.renamed(k.Names); own != "" {
		wrong("the backup has another's name", "The cluster keeps a record of this very archive as "+own+".",
			"Give it its own name again, for that says which k0s wrote it: "+own)
	}
	for _, known := range []string{k.Cluster, k.Contents.Cluster} {
		if known != "" && d.Contents.Cluster != "" && d.Contents.Cluster != known {
			wrong("the data in it are another cluster's", fmt.Sprintf("Their kube-system has the UID %s, the site's %s.",
				d.Contents.Cluster, known), another)
			break
		}
	}
	if missing := k.Contents.Missing(d.Contents); k.Contents.Known() && len(missing) > 0 {
		wrong("the backup does not hold what the cluster had when it was taken", strings.Join(missing, "\n"),
			"Take another; if that lacks the same, look whether etcd's members are behind one another: kiban status "+k.Site)
	}
	if k.Opens != nil {
		for _, sealed := range d.Sealed {
			if !slices.Contains(k.Opens, sealed) {
				wrong("what is in it is encrypted with a key that the site does not have",
					fmt.Sprintf("Objects are sealed with %s; the encryption-provider-config of the API servers has %s.", sealed, listed(k.Opens)),
					"Keep a key in that file for as long as backups are kept in which it sealed anything.")
			}
		}
	}
	if !k.Contents.Known() && out.Err() == nil {
		why := "No note lies beside it that counts the objects, and the cluster keeps no record of it."
		if k.Contents.Why != "" {
			why = "What the cluster had was not counted when it was taken: " + k.Contents.Why + "."
		}
		out = append(out, lifecycle.Blockedf(name, "nobody knows what is to be in the backup, so nothing can prove it").Because(why).
			Try("Take a new one, which says what it holds: kiban backup "+k.Site))
	}
	return out
}

// renamed is what the archive was called when it was taken, where its name says another version or time now; else "". A restore goes by
// the name: it takes the data of one release for another's. A name that says neither lies about neither.
func (f File) renamed(names []string) (own string) {
	if f.Version.IsZero() {
		return ""
	}
	for _, name := range names {
		was, ok := Parse(name)
		if ok && was.Version == f.Version && was.Taken.Equal(f.Taken) {
			return ""
		}
		if ok && own == "" {
			own = name
		}
	}
	return own
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return lifecycle.Enumerate(names)
}

// Proof says that this archive was restored, by whom, and how long it took.
func (s *Source) Proof(at time.Time, took time.Duration, by string, objects int64) lifecycle.Proof {
	return lifecycle.Proof{Backup: filepath.Base(s.Path), Digest: s.Digest, At: at.UTC().Format(time.RFC3339),
		Took: took.Round(time.Second), By: by, Objects: objects}
}
