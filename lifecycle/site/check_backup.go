package site

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle/site/overlay"
)

func checkBackup(b backupSpec) []finding {
	var found []finding
	if b.Keep < 0 {
		found = append(found, wrong(sitePlace("spec", "backup", "keep"), "keep can't be negative", "", "Use 0 for no limit."))
	}
	if b.Proven < 0 || b.Proven > 0 && b.Proven < duration(time.Minute) {
		found = append(found, wrong(sitePlace("spec", "backup", "proven"), "no backup can be proven that lately",
			"It is how long ago a backup may have been restored in a lab.", "Write a span such as 24h, or leave it out."))
	}
	return found
}

// checkRecipients finds what backups could not be encrypted to. It is asked when the site is read, not when a backup is needed.
func checkRecipients(b backupSpec, check func(string) error) []finding {
	if check == nil {
		return nil
	}
	var found []finding
	for i, r := range b.Recipients {
		if err := check(r); err != nil {
			found = append(found, wrong(sitePlace("spec", "backup", "recipients", overlay.Index(i)),
				fmt.Sprintf("recipient %d is no age public key", i+1), err.Error(),
				`Write what "age-keygen -y key.txt" prints: it begins with age1.`))
		}
	}
	return found
}

// checkBackupTo holds that each place is one place, can be written to with secrets that are not in the repository, and is not given what it
// should not have.
func (l *loader) checkBackupTo(b backupSpec) []finding {
	var found []finding
	for i, to := range b.To {
		at := sitePlace("spec", "backup", "to", overlay.Index(i))
		if n := to.kinds(); n != 1 {
			found = append(found, wrong(at, fmt.Sprintf("destination %d of backups is %d places", i+1, n), "",
				"Give one of `s3`, `sftp`, `oci` and `folder`, and each further one as an entry of its own."))
			continue
		}
		switch {
		case to.S3 != nil:
			found = append(found, l.checkS3(*to.S3, below(at, "s3"))...)
		case to.SFTP != nil:
			found = append(found, l.checkSFTP(*to.SFTP, below(at, "sftp"))...)
		case to.OCI != nil:
			found = append(found, l.checkOCI(*to.OCI, below(at, "oci"))...)
		case !filepath.IsAbs(to.Folder) || filepath.Clean(to.Folder) == "/":
			found = append(found, wrong(below(at, "folder"), fmt.Sprintf("%q is no folder for backups", to.Folder),
				"It is a mount on whichever machine runs kiban, so it can't be relative to a checkout.",
				"Write an absolute path: /mnt/backups/tokyo-prod."))
		}
	}
	if len(b.To) > 0 && len(b.Recipients) == 0 {
		found = append(found, l.unencrypted())
	}
	return found
}

// unencrypted is the finding that the keys of the cluster would lie in the clear where others may read them.
func (l *loader) unencrypted() finding {
	const summary, why = "backups that leave this machine are not encrypted",
		"A backup holds the keys of the cluster's CA and every Secret: whoever reads it there has the cluster."
	const hint = "Name age public keys in spec.backup.recipients; `age-keygen -o key.txt` makes a pair."
	if l.site.Production() {
		return wrong(sitePlace("spec", "backup", "to"), summary, why, hint)
	}
	return doubtful(sitePlace("spec", "backup", "to"), summary, why, hint)
}

func (l *loader) checkS3(s s3Spec, at overlay.Place) []finding {
	var found []finding
	if !isSecureURL(s.Endpoint) {
		found = append(found, wrong(below(at, "endpoint"), fmt.Sprintf("%q is no S3 endpoint", s.Endpoint),
			"Backups leave the machine through TLS only.", `Write the server: "https://s3.example.com". The bucket is a field of its own.`))
	}
	if !bucketForm.MatchString(s.Bucket) {
		found = append(found, wrong(below(at, "bucket"), fmt.Sprintf("%q is no bucket", s.Bucket), "",
			"Use 3 to 63 lower-case letters, digits, dots and hyphens."))
	}
	if s.Prefix != "" && !prefixForm.MatchString(s.Prefix) {
		found = append(found, wrong(below(at, "prefix"), fmt.Sprintf("%q is no prefix", s.Prefix), "",
			`Use letters, digits, dots, hyphens and single slashes between them: "clusters/tokyo-prod".`))
	}
	found = append(found, l.checkSecretSource(s.AccessKey, "the access key of the backups' bucket", below(at, "accessKey"))...)
	return append(found, l.checkSecretSource(s.SecretKey, "the secret key of the backups' bucket", below(at, "secretKey"))...)
}

func (l *loader) checkSFTP(s sftpSpec, at overlay.Place) []finding {
	var found []finding
	if !addressForm.MatchString(s.Address) {
		found = append(found, wrong(below(at, "address"), fmt.Sprintf("%q is no host", s.Address), "",
			`Write it as "backup.example.com", with ":port" behind where that is not 22.`))
	}
	if !userForm.MatchString(s.User) {
		found = append(found, wrong(below(at, "user"), fmt.Sprintf("%q is no user", s.User), "", "Name the user to log in as."))
	}
	if !path.IsAbs(s.Folder) || path.Clean(s.Folder) == "/" {
		found = append(found, wrong(below(at, "folder"), fmt.Sprintf("%q is no folder for backups", s.Folder), "",
			"Write an absolute path on the host, of a folder that is there: /srv/backups/tokyo-prod."))
	}
	if s.Key != nil {
		found = append(found, l.checkSecretSource(*s.Key, "the SSH key of the backups' host", below(at, "key"))...)
	}
	if s.Password != nil {
		found = append(found, l.checkSecretSource(*s.Password, "the password of the backups' host", below(at, "password"))...)
	}
	return found
}

func (l *loader) checkOCI(s ociSpec, at overlay.Place) []finding {
	var found []finding
	if !repositoryForm.MatchString(s.Repository) {
		found = append(found, wrong(below(at, "repository"), fmt.Sprintf("%q is no repository of a registry", s.Repository), "",
			`Write it without a scheme and without a tag: "registry.example.com/backups/tokyo-prod".`))
	}
	if (s.User == nil) != (s.Password == nil) {
		found = append(found, wrong(at, "user and password of the backups' registry belong together", "", "Give both, or neither."))
	}
	if s.User != nil {
		found = append(found, l.checkSecretSource(*s.User, "the user of the backups' registry", below(at, "user"))...)
	}
	if s.Password != nil {
		found = append(found, l.checkSecretSource(*s.Password, "the password of the backups' registry", below(at, "password"))...)
	}
	return found
}

// kinds is how many places the entry names.
func (t backupToSpec) kinds() int {
	n := 0
	for _, given := range []bool{t.S3 != nil, t.SFTP != nil, t.OCI != nil, t.Folder != ""} {
		if given {
			n++
		}
	}
	return n
}

// isSecureURL accepts a server's URL through TLS, or one on this machine.
func isSecureURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && ip != nil && ip.IsLoopback()
}

var (
	bucketForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	prefixForm     = regexp.MustCompile(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`)
	addressForm    = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?$`)
	userForm       = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._-]*$`)
	repositoryForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$`)
)
